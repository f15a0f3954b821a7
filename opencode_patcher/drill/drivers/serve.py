"""Runs a scenario through ``opencode serve``: turns, cancels and compactions over the HTTP API, events as a client sees
them, and turns of other processes at the same time. The server may serve other scenarios at the same time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessTimeoutError
from opencode_patcher.drill.drivers.client import Client
from opencode_patcher.drill.drivers.home import environment
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer
from opencode_patcher.drill.drivers.stage import Stage
from opencode_patcher.drill.drivers.steer import ask_next, steer
from opencode_patcher.drill.drivers.stored import effects, read_session, settled
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.wire import as_object, as_objects
from opencode_patcher.drill.scenarios.pace import Pace
from opencode_patcher.drill.verdict.observation import Observation, Session, parse_event

CANCEL_SECONDS = 3.0
"""How long a turn may take to end after it was cancelled."""

AFTERMATH_SECONDS = 1.0
"""How long to keep watching a cancelled session: it may report idle and still ask the next provider."""


def observe(
    stage: Stage, server: OpenCodeServer, *, limit: float, pace: Pace, stop: threading.Event | None = None
) -> Observation:
    """Run the scenario and return everything that was observed. ``limit`` bounds each turn, in seconds; ``stop`` ends
    the run early. Raises DrillError when the server does not serve the project.
    """
    own = server.at(stage.home.work, stage.restore)
    client = Client(stage.model, stop, stage.tools.finish)
    with own.following(client.event):
        conversation = _Conversation(stage, own, client, limit, pace, stop)
        started = time.monotonic()
        code = conversation.turns(stage.scenario.turns)
        seconds = time.monotonic() - started
        titled = stage.scenario.turns[-1].cancel is None and code == 0
        stored, others = conversation.stored(titled=titled)
        screen = client.screen.text(client.session)
    return Observation(
        scenario=stage.scenario,
        subject=stage.subject,
        exchanges=stage.exchanges,
        events=tuple(client.events),
        session=stored,
        others=others,
        screen=screen,
        cancelled=conversation.cancelled,
        effects=effects(stage.home),
        code=code,
        limit=limit,
        started=started,
        seconds=seconds,
        stderr="",
    )


class _Conversation:
    """The turns of one scenario in one session of the server."""

    def __init__(
        self,
        stage: Stage,
        server: OpenCodeServer,
        client: Client,
        limit: float,
        pace: Pace,
        stop: threading.Event | None,
    ) -> None:
        self._stage = stage
        self._server = server
        self._client = client
        self._limit = limit
        self._pace = pace
        self._stop = stop
        self._elsewhere: list[str] = []
        self.cancelled: float | None = None
        self._id = client.session = str(as_object(server.call("POST", "/session", {})).get("id"))

    def turns(self, turns: Sequence[Turn]) -> int | None:
        """0 when all turns ended well, 1 when one ended in an error, None when one did not end."""
        for turn in turns:
            time.sleep(turn.pause)
            try:
                steer(self._stage, self._server, self._id, turn, limit=self._limit, stop=self._stop)
                code = self._other_process(turn) if turn.elsewhere else self._turn(turn)
            except DrillError as error:
                self._client.fail(str(error))
                return 1
            if code != 0:
                return code
        return 0

    def _turn(self, turn: Turn) -> int | None:
        limit = self._limit
        self._client.ask(self._server, self._id, turn.prompt)
        if turn.passed:
            ask_next(self._server, self._id, limit=self._limit, is_over=lambda: self._client.wait(self._id, 0.05))
        if turn.cancel is not None:
            if self._is_over_before(turn.cancel):
                return 0
            self.cancelled = time.monotonic()
            self._server.call("POST", f"/session/{self._id}/abort")
            limit = self._pace.scaled(CANCEL_SECONDS)
        if not self._client.wait(self._id, limit):
            # If the server is too busy to end the turn in time, it is also too busy to cancel it.
            with suppress(DrillError):
                self._server.call("POST", f"/session/{self._id}/abort")
            return None
        if turn.cancel is not None:
            time.sleep(AFTERMATH_SECONDS)
        if turn.compact:
            self._client.busy(self._id)
            body = {"providerID": self._client.provider, "modelID": self._client.model}
            self._server.call("POST", f"/session/{self._id}/summarize", body, timeout=self._limit)
            if not self._client.wait(self._id, limit):
                return None
        if turn.undone:
            self._undo()
        return 1 if self._client.errors and turn.cancel is None else 0

    def _is_over_before(self, cancel: float) -> bool:
        """Let the turn run until ``cancel`` seconds after it could be cancelled. Returns whether it has ended by
        itself."""
        deadline = time.monotonic() + self._limit
        while not self._stage.is_cancellable and time.monotonic() < deadline:
            if self._client.wait(self._id, 0.05):
                return True
        return self._client.wait(self._id, cancel)

    def _undo(self) -> None:
        """Undo and redo the last turn; an error of the client says what the undo has left."""
        before = effects(self._stage.home)
        stored = as_objects(self._server.call("GET", f"/session/{self._id}/message"))
        asked = [
            info.get("id") for info in (as_object(one.get("info")) for one in stored) if info.get("role") == "user"
        ]
        self._server.call("POST", f"/session/{self._id}/revert", {"messageID": asked[-1]})
        if left := effects(self._stage.home):
            self._client.fail(f"{left} of {before} lines are left after the undo")
        self._server.call("POST", f"/session/{self._id}/unrevert", {})

    def _other_process(self, turn: Turn) -> int | None:
        command: list[str | Path] = [self._stage.subject.binary, "run", "--format", "json"]
        try:
            done = process.converse(
                [*command, "--model", self._stage.model, turn.prompt],
                cwd=self._stage.home.work,
                env=environment(self._stage.home),
                timeout=self._limit,
                stop=self._stop,
            )
        except ProcessTimeoutError:
            return None
        events = [parse_event(line, 0.0) for line in done.stdout.splitlines()]
        ids = [str(event.data["sessionID"]) for event in events if event and "sessionID" in event.data]
        self._elsewhere += ids[:1]
        return done.code

    def stored(self, *, titled: bool) -> tuple[Session, tuple[Session, ...]]:
        """The session and those that belong to it, once its messages are completed and, if it will be ``titled``, it
        has its title, or the time for that is over.
        """
        title = self._stage.scenario.expected.title if titled else None
        found = settled(lambda: read_session(self._server, self._id), self._pace, title=title)
        children = as_objects(self._server.call("GET", f"/session/{self._id}/children"))
        ids = [*(str(child.get("id")) for child in children), *self._elsewhere]
        return found, tuple(read_session(self._server, id) for id in ids)
