"""OpenCode 2: its server (``opencode2 serve``), and a scenario through it, with events as its own clients see them.

What a screen shows is kept as OpenCode 2's terminal interface keeps it (packages/tui/src/context/data.tsx).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessError
from opencode_patcher.base.version import printed
from opencode_patcher.drill.drivers.home import Home, configuration, environment, start_project
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer, ServerEvent, serving
from opencode_patcher.drill.drivers.probe import COMBINED, PROVIDERS, URLS, not_drillable
from opencode_patcher.drill.drivers.second_api import (
    await_model,
    error_event,
    is_idle,
    listed,
    new_session,
    read_session,
    rests,
)
from opencode_patcher.drill.drivers.serve import AFTERMATH_SECONDS, CANCEL_SECONDS
from opencode_patcher.drill.drivers.stage import Stage
from opencode_patcher.drill.drivers.steer import ask_next, steer
from opencode_patcher.drill.drivers.stored import COMMAND_SECONDS, LOOK_SECONDS, effects, settled
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.wire import as_object, as_objects
from opencode_patcher.drill.scenarios.pace import Pace
from opencode_patcher.drill.scenarios.quick import ALPHA
from opencode_patcher.drill.verdict.observation import Event, Observation, Session, Subject

LIST_SECONDS = 60.0
"""How long a project may take to list its models."""


@contextmanager
def served(binary: Path, home: Home, variables: Mapping[str, str]) -> Iterator[OpenCodeServer]:
    """Run the server in ``home``, ended with the block. ``variables`` are added to its environment."""
    with serving(binary, home, variables={**variables, "OPENCODE_PASSWORD": home.password}) as server:
        yield replace(server, events="/api/event", payload="data")


def version(binary: Path, home: Home) -> str:
    """What the binary says. Raises DrillError when it cannot be run."""
    try:
        done = process.run([binary, "--version"], cwd=home.work, env=environment(home), timeout=COMMAND_SECONDS)
    except ProcessError as error:
        raise not_drillable(binary, str(error)) from error
    return printed(done.stdout)


def look(binary: Path, server: OpenCodeServer, home: Home) -> Subject:
    """Find out whether a binary is patched: a patched one lists a combined model of three providers. A stock one
    accepts the keys too, but lists no combined model.
    """
    project = home.at("projects/looked-at")
    start_project(project, configuration(PROVIDERS, URLS, priority=True))
    own = server.at(project.work)
    await_model(own, f"{ALPHA.id}/{ALPHA.model}", LIST_SECONDS)
    combined = [model for model in listed(own) if model.startswith(f"{COMBINED}/")]
    found = str(as_object(server.call("GET", "/api/health")).get("version", ""))
    if len(combined) > 1:
        raise DrillError(f"{binary} lists several combined models.", why=", ".join(combined))
    return Subject(binary=binary, version=found, model=combined[0] if combined else None)


@dataclass
class Screen:
    """The parts of each message of a session, as the events add and drop them; fed by one thread.

    ``finished`` gets the id of each tool call that has ended, in any session.
    """

    patched: bool
    finished: Callable[[str], None] | None = None
    session: str = ""
    order: list[str] = field(default_factory=list)
    parts: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def event(self, event: ServerEvent) -> None:
        """Handle one event of the server."""
        data = event.properties
        if self.finished and event.kind in {"session.tool.success", "session.tool.failed"}:
            self.finished(str(data.get("callID")))
        if data.get("sessionID") != self.session:
            return
        message, call = str(data.get("assistantMessageID")), data.get("callID")
        parts = self.parts.setdefault(message, [])
        match event.kind.removeprefix("session."):
            case "step.started":
                if message not in self.order:
                    self.order.append(message)
                elif self.patched:
                    parts[:] = _standing(parts)
            case "text.started":
                parts.append({"type": "text", "text": ""})
            case "text.delta" | "text.ended":
                for part in [part for part in parts if part["type"] == "text"][-1:]:
                    part["text"] = data.get("text", f"{part['text']}{data.get('delta', '')}")
            case "tool.input.started":
                parts.append({"type": "tool", "id": call, "status": "streaming"})
            case "tool.called" | "tool.success" | "tool.failed":
                for part in [part for part in parts if part.get("id") == call]:
                    part["status"] = "started"

    @property
    def text(self) -> str:
        """The texts that the screen shows now."""
        return "".join(
            str(part["text"]) for message in self.order for part in self.parts[message] if part["type"] == "text"
        )


def _standing(parts: list[dict[str, object]]) -> list[dict[str, object]]:
    """The parts that stay when a step starts again, as in templates/opencode-2: tools that have started, and the texts
    before the last of them.
    """
    started = [number for number, part in enumerate(parts) if part.get("status") == "started"]
    last = started[-1] if started else -1
    return [part for number, part in enumerate(parts) if number <= last and (number in started or _is_text(part))]


def _is_text(part: dict[str, object]) -> bool:
    return part["type"] == "text"


def observe(
    stage: Stage, server: OpenCodeServer, *, limit: float, pace: Pace, stop: threading.Event | None = None
) -> Observation:
    """Run the scenario and return everything that was observed. ``limit`` bounds each turn, in seconds; ``stop`` ends
    the run early.
    """
    own = server.at(stage.home.work, stage.restore)
    screen = Screen(stage.subject.patched, stage.tools.finish)
    talk = _Conversation(stage, own, limit, pace, stop)
    found: Session | None = None
    others: tuple[Session, ...] = ()
    started = time.monotonic()
    code: int | None = 1
    with own.following(screen.event):
        try:
            screen.session = talk.open()
            started = time.monotonic()
            code = talk.turns()
        except DrillError as error:
            talk.fail(f"{error} {error.why}")
        seconds = time.monotonic() - started
        if screen.session:
            with suppress(DrillError):
                found, others = talk.stored(titled=code == 0 and talk.cancelled is None)
    if talk.cancelled is None:
        for message in found.messages if found else ():
            if message.error:
                talk.fail(message.error)
    return Observation(
        scenario=stage.scenario,
        subject=stage.subject,
        exchanges=stage.exchanges,
        events=tuple(talk.events),
        session=found,
        others=others,
        screen=screen.text,
        cancelled=talk.cancelled,
        effects=effects(stage.home),
        code=1 if code == 0 and talk.events else code,
        limit=limit,
        started=started,
        seconds=seconds,
        stderr="",
    )


class _Conversation:
    """The turns of one scenario in one session."""

    def __init__(
        self,
        stage: Stage,
        server: OpenCodeServer,
        limit: float,
        pace: Pace,
        stop: threading.Event | None,
    ) -> None:
        self._stage = stage
        self._server = server
        self._limit = limit
        self._pace = pace
        self._stop = stop
        self._id = ""
        self.events: list[Event] = []
        self.cancelled: float | None = None

    @property
    def _path(self) -> str:
        return f"/api/session/{self._id}"

    def fail(self, message: str) -> None:
        """Note an error as a user sees it."""
        self.events.append(error_event(message))

    def open(self) -> str:
        """A session with the scenario's model. Raises DrillError when the server does not list it."""
        agent = _agent(self._stage.scenario.turns[0])
        self._id = new_session(self._server, self._stage.model, LIST_SECONDS, agent=agent)
        return self._id

    def turns(self) -> int | None:
        """0 when all turns ended, None when one did not end."""
        for turn in self._stage.scenario.turns:
            time.sleep(turn.pause)
            steer(self._stage, self._server, self._id, turn, limit=self._limit, stop=self._stop)
            if not self._turn(turn):
                return None
        return 0

    def _turn(self, turn: Turn) -> bool:
        limit = self._limit
        self._server.call("POST", f"{self._path}/prompt", {"text": turn.prompt})
        if turn.passed:
            ask_next(self._server, self._id, limit=self._limit, is_over=self._is_over)
        if turn.cancel is not None:
            if not self._waits_for_cancel(turn.cancel):
                return True
            self.cancelled = time.monotonic()
            self._server.call("POST", f"{self._path}/interrupt")
            limit = self._pace.scaled(CANCEL_SECONDS)
        if not self._rests(limit):
            with suppress(DrillError):
                self._server.call("POST", f"{self._path}/interrupt")
            return False
        if turn.cancel is not None:
            time.sleep(AFTERMATH_SECONDS)
        if turn.compact:
            self._server.call("POST", f"{self._path}/compact", {})
            if not self._rests(limit, "compaction"):
                return False
        if turn.undone:
            self._undo()
        return True

    def _rests(self, limit: float, after: str = "assistant") -> bool:
        """Whether the session becomes idle within ``limit`` seconds, after an answer (or what ``after`` says)."""
        wanted = after if self.cancelled is None else None
        return rests(self._server, self._id, limit, self._stop, after=wanted)

    def _waits_for_cancel(self, seconds: float) -> bool:
        """Let the turn run until ``seconds`` after every provider that the scenario expects was asked. Returns whether
        it is still running."""
        deadline = time.monotonic() + self._limit
        while not self._stage.is_cancellable and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        time.sleep(seconds)
        return not is_idle(self._server, self._id)

    def _is_over(self) -> bool:
        """Whether the turn has ended. It pauses first, because it is called in a loop."""
        time.sleep(LOOK_SECONDS)
        return bool(self._stage.exchanges) and is_idle(self._server, self._id)

    def _undo(self) -> None:
        """Undo and redo the last turn."""
        before = effects(self._stage.home)
        stored = as_objects(as_object(self._server.call("GET", f"{self._path}/message?order=asc")).get("data"))
        asked = [one.get("id") for one in stored if one.get("type") == "user"]
        self._server.call("POST", f"{self._path}/revert/stage", {"messageID": asked[-1], "files": True})
        if left := effects(self._stage.home):
            self.fail(f"{left} of {before} lines are left after the undo")
        self._server.call("POST", f"{self._path}/revert/clear", {})

    def stored(self, *, titled: bool) -> tuple[Session, tuple[Session, ...]]:
        """The session and its subagents', once its messages are completed and it has its title, or the time for that
        is over.
        """
        title = self._stage.scenario.expected.title if titled else None
        found = settled(lambda: read_session(self._server, self._id), self._pace, title=title)
        every = as_objects(as_object(self._server.call("GET", "/api/session")).get("data"))
        children = [str(one.get("id")) for one in every if one.get("parentID") == self._id]
        return found, tuple(read_session(self._server, child) for child in children)


def _agent(turn: Turn) -> str:
    """The agent that a turn names (``run --agent``), for a new session; "" for none."""
    return dict(zip(turn.arguments, turn.arguments[1:], strict=False)).get("--agent", "")
