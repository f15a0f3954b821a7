"""Runs a scenario through ``opencode serve``: turns, cancels and compactions over the HTTP API, events as a client
sees them, and turns of other processes beside it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessTimeoutError
from opencode_patcher.drill.drivers.home import Home, environment
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer, ServerEvent
from opencode_patcher.drill.drivers.opencode_server import serving as opencode
from opencode_patcher.drill.drivers.run import effects
from opencode_patcher.drill.drivers.screen import Screen
from opencode_patcher.drill.drivers.stage import Stage, staged
from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.plan import TITLE, Turn
from opencode_patcher.drill.fakes.wire import as_object, as_objects
from opencode_patcher.drill.scenarios.scenario import Scenario
from opencode_patcher.drill.verdict.observation import Event, Observation, Session, Target, parse_event, session

TITLE_SECONDS = 3.0
"""How long after the last turn a session may still wait for its title, which is made beside the first turn."""

STOP_CHECK_SECONDS = 0.5

CANCEL_SECONDS = 3.0
"""How long a turn may take to end after its cancel."""

AFTERMATH_SECONDS = 1.0
"""How long a cancelled session is watched further: it may say that it is idle and still ask the next provider."""


def observe(
    scenario: Scenario,
    target: Target,
    root: Path,
    *,
    template: Path | None,
    limit: float,
    stop: threading.Event | None = None,
) -> Observation:
    """Run one scenario in a fresh home below ``root``; ``limit`` bounds each turn, in seconds.

    ``template`` is the root of a home whose data are copied; ``stop`` ends the run early.
    Raises DrillError when the server cannot be run.
    """
    with staged(scenario, target, root, template) as stage:
        home = stage.home
        client = Client(stage.model, stop)
        stderr: list[str] = []
        with opencode(target.binary, home, client.event, on_process=stderr.append) as server:
            started = time.monotonic()
            run = _Run(
                client=client,
                server=server,
                target=target,
                home=home,
                limit=limit,
                stop=stop,
                cancellable=lambda: _is_cancellable(stage, scenario, target),
            )
            code = run.turns(scenario.turns)
            seconds = time.monotonic() - started
            titled = scenario.turns[-1].cancel is None and code == 0
            stored, others = run.stored(TITLE_SECONDS if titled else 0.0)
            screen = client.screen.text(run.id)
    return Observation(
        scenario=scenario,
        target=target,
        exchanges=stage.exchanges,
        events=tuple(client.errors),
        session=stored,
        others=others,
        screen=screen,
        cancelled=run.cancelled,
        effects=effects(home),
        code=code,
        limit=limit,
        started=started,
        seconds=seconds,
        stderr="\n".join(stderr),
    )


def _is_cancellable(stage: Stage, scenario: Scenario, target: Target) -> bool:
    """Whether the turn has come so far that the user's cancel means what the scenario wants of it: all have been asked
    that a patched binary asks.
    """
    seen = Counter(exchange.provider for exchange in stage.exchanges if exchange.purpose is Purpose.TURN)
    wanted = scenario.expected.requests if target.patched else {}
    return seen.total() > 0 and all(seen[provider] >= count for provider, count in wanted.items())


class Client:
    """A client of the server's events: the screen, the errors, and which sessions are idle."""

    def __init__(self, model: str, stop: threading.Event | None = None) -> None:
        self._stop = stop
        self.provider, _, self.model = model.partition("/")
        self.screen = Screen()
        self.errors: list[Event] = []
        self._changed = threading.Condition()
        self._idle: set[str] = set()

    def event(self, event: ServerEvent) -> None:
        with self._changed:
            self.screen.apply(event.kind, event.properties)
            id = str(event.properties.get("sessionID", ""))
            if event.kind == "session.error":
                error = event.properties.get("error")
                self.errors.append(Event(at=event.at, kind="error", data={"sessionID": id, "error": error}))
            if event.kind == "session.idle":
                self._idle.add(id)
                self._changed.notify_all()

    def fail(self, message: str) -> None:
        """Note what the API itself refused."""
        error = {"name": "ApiError", "data": {"message": message}}
        self.errors.append(Event(at=time.monotonic(), kind="error", data={"error": error}))

    def ask(self, server: OpenCodeServer, id: str, prompt: str, *, model: str = "") -> None:
        """Send a message to a session without waiting for its answer; ``model`` takes the place of the client's."""
        provider, _, name = (model or f"{self.provider}/{self.model}").partition("/")
        self.busy(id)
        body = {
            "model": {"providerID": provider, "modelID": name},
            "parts": [{"type": "text", "text": prompt}],
        }
        server.call("POST", f"/session/{id}/prompt_async", body)

    def busy(self, id: str) -> None:
        """Forget that a session was idle: it is about to get something to do."""
        with self._changed:
            self._idle.discard(id)

    def wait(self, id: str, seconds: float) -> bool:
        """Wait until a session is idle; False when it was not in time."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while id not in self._idle:
                left = deadline - time.monotonic()
                if left <= 0 or (self._stop and self._stop.is_set()):
                    return False
                self._changed.wait(min(left, STOP_CHECK_SECONDS))
        return True


class _Run:
    def __init__(
        self,
        *,
        client: Client,
        server: OpenCodeServer,
        target: Target,
        home: Home,
        limit: float,
        stop: threading.Event | None,
        cancellable: Callable[[], bool],
    ) -> None:
        self._stop = stop
        self._cancellable = cancellable
        self._client = client
        self._server = server
        self._target = target
        self._home = home
        self._limit = limit
        self._elsewhere: list[str] = []
        self.cancelled: float | None = None
        self.id = str(as_object(server.call("POST", "/session", {})).get("id"))

    def turns(self, turns: Sequence[Turn]) -> int | None:
        """0 when all turns ended well, 1 when one ended in an error, None when one did not end."""
        for turn in turns:
            time.sleep(turn.pause)
            try:
                code = self._other_process(turn) if turn.elsewhere else self._turn(turn)
            except DrillError as error:
                self._client.fail(str(error))
                return 1
            if code != 0:
                return code
        return 0

    def _turn(self, turn: Turn) -> int | None:
        limit = self._limit
        self._client.ask(self._server, self.id, turn.prompt)
        if turn.cancel is not None:
            if self._is_over_before(turn.cancel):
                return 0
            self.cancelled = time.monotonic()
            self._server.call("POST", f"/session/{self.id}/abort")
            limit = CANCEL_SECONDS
        if not self._client.wait(self.id, limit):
            self._server.call("POST", f"/session/{self.id}/abort")
            return None
        if turn.cancel is not None:
            time.sleep(AFTERMATH_SECONDS)
        if turn.compact:
            self._client.busy(self.id)
            body = {"providerID": self._client.provider, "modelID": self._client.model}
            self._server.call("POST", f"/session/{self.id}/summarize", body, timeout=self._limit)
            if not self._client.wait(self.id, limit):
                return None
        if turn.undone:
            self._undo()
        return 1 if self._client.errors and turn.cancel is None else 0

    def _is_over_before(self, cancel: float) -> bool:
        """Let the turn go on until ``cancel`` seconds after it could be cancelled; whether it has ended by itself."""
        deadline = time.monotonic() + self._limit
        while not self._cancellable() and time.monotonic() < deadline:
            if self._client.wait(self.id, 0.05):
                return True
        return self._client.wait(self.id, cancel)

    def _undo(self) -> None:
        """Take the last turn back and bring it back; a client's error says what the undo has left."""
        before = effects(self._home)
        stored = as_objects(self._server.call("GET", f"/session/{self.id}/message"))
        asked = [
            info.get("id") for info in (as_object(one.get("info")) for one in stored) if info.get("role") == "user"
        ]
        self._server.call("POST", f"/session/{self.id}/revert", {"messageID": asked[-1]})
        if left := effects(self._home):
            self._client.fail(f"{left} of {before} lines are left after the undo")
        self._server.call("POST", f"/session/{self.id}/unrevert", {})

    def _other_process(self, turn: Turn) -> int | None:
        command: list[str | Path] = [self._target.binary, "run", "--format", "json"]
        model = f"{self._client.provider}/{self._client.model}"
        try:
            done = process.converse(
                [*command, "--model", model, turn.prompt],
                cwd=self._home.work,
                env=environment(self._home),
                timeout=self._limit,
                stop=self._stop,
            )
        except ProcessTimeoutError:
            return None
        events = [parse_event(line, 0.0) for line in done.stdout.splitlines()]
        ids = [str(event.data["sessionID"]) for event in events if event and "sessionID" in event.data]
        self._elsewhere += ids[:1]
        return done.code

    def stored(self, title_seconds: float) -> tuple[Session, tuple[Session, ...]]:
        """The session, once it has its title or ``title_seconds`` are over, and those of others that belong to it."""
        deadline = time.monotonic() + title_seconds
        found = read_session(self._server, self.id)
        while found.title != TITLE.text("") and time.monotonic() < deadline:
            time.sleep(0.1)
            found = read_session(self._server, self.id)
        children = as_objects(self._server.call("GET", f"/session/{self.id}/children"))
        ids = [*(str(child.get("id")) for child in children), *self._elsewhere]
        return found, tuple(read_session(self._server, id) for id in ids)


def read_session(server: OpenCodeServer, id: str) -> Session:
    """A session as the server has stored it."""
    info = server.call("GET", f"/session/{id}")
    return session(as_object(info), server.call("GET", f"/session/{id}/message"))
