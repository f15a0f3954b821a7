"""What a client of a server's events sees: the screen, what ``opencode run`` would have printed, which sessions are
idle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer, ServerEvent
from opencode_patcher.drill.drivers.screen import Screen
from opencode_patcher.drill.fakes.wire import Object, as_object
from opencode_patcher.drill.verdict.observation import Event

STOP_CHECK_SECONDS = 0.5

ENDED = {"completed", "error"}
"""The status of a tool call that has ended."""


class Client:
    """Follows the events of one project. ``finished`` gets the id of each tool call that has ended. ``session`` is the
    session whose output is kept; "" keeps none.
    """

    def __init__(
        self, model: str, stop: threading.Event | None = None, finished: Callable[[str], None] | None = None
    ) -> None:
        self._stop = stop
        self._finished = finished
        self.provider, _, self.model = model.partition("/")
        self.session = ""
        self.screen = Screen()
        self.events: list[Event] = []
        self._printed: set[str] = set()
        self._changed = threading.Condition()
        self._idle: set[str] = set()

    @property
    def errors(self) -> list[Event]:
        return [event for event in self.events if event.kind == "error"]

    def event(self, event: ServerEvent) -> None:
        """Handle one event of the server."""
        with self._changed:
            self.screen.apply(event.kind, event.properties)
            id = str(event.properties.get("sessionID", ""))
            if event.kind == "session.error":
                error = event.properties.get("error")
                self.events.append(Event(at=event.at, kind="error", data={"sessionID": id, "error": error}))
            if event.kind == "message.part.updated":
                self._part(event.at, as_object(event.properties.get("part")))
            if event.kind == "session.idle":
                self._idle.add(id)
                self._changed.notify_all()

    def _part(self, at: float, part: Object) -> None:
        """Keep what ``run`` would print of a part (packages/opencode/src/cli/cmd/run.ts)."""
        kind, state = part.get("type"), as_object(part.get("state"))
        ended = kind == "tool" and state.get("status") in ENDED
        if ended and self._finished:
            self._finished(str(part.get("callID")))
        if not self.session or part.get("sessionID") != self.session:
            return
        if ended:
            self.events.append(Event(at=at, kind="tool_use", data={"part": part}))
        elif kind == "text" and as_object(part.get("time")).get("end"):
            self.events.append(Event(at=at, kind="text", data={"part": part}))
        # The end of a step is stored again when it moves to another message, but printed only once.
        elif kind == "step-finish" and (id := str(part.get("id"))) not in self._printed:
            self._printed.add(id)
            self.events.append(Event(at=at, kind="step_finish", data={"part": part}))

    def fail(self, message: str) -> None:
        """Note an error from the API itself."""
        error = {"name": "ApiError", "data": {"message": message}}
        self.events.append(Event(at=time.monotonic(), kind="error", data={"error": error}))

    def ask(self, server: OpenCodeServer, id: str, prompt: str, *, model: str = "") -> None:
        """Send a message to a session without waiting for its answer; ``model`` replaces the client's."""
        provider, _, name = (model or f"{self.provider}/{self.model}").partition("/")
        self.busy(id)
        body = {
            "model": {"providerID": provider, "modelID": name},
            "parts": [{"type": "text", "text": prompt}],
        }
        server.call("POST", f"/session/{id}/prompt_async", body)

    def busy(self, id: str) -> None:
        """Forget that a session was idle: it is about to get a prompt."""
        with self._changed:
            self._idle.discard(id)

    def wait(self, id: str, seconds: float) -> bool:
        """Wait until a session is idle; False when it takes too long."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while id not in self._idle:
                left = deadline - time.monotonic()
                if left <= 0 or (self._stop and self._stop.is_set()):
                    return False
                self._changed.wait(min(left, STOP_CHECK_SECONDS))
        return True
