"""What chaos needs of a server, the same for OpenCode 1 and 2."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from opencode_patcher.base import files
from opencode_patcher.base.line import OPENCODE_2, of_version
from opencode_patcher.base.version import version_of
from opencode_patcher.drill.drivers import opencode_2, second_api, stored
from opencode_patcher.drill.drivers.client import Client
from opencode_patcher.drill.drivers.home import Home
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer, ServerEvent, serving
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.wire import as_object, as_objects
from opencode_patcher.drill.scenarios.opencode_2 import translated_turn
from opencode_patcher.drill.verdict.observation import Session, Subject


class Sessions(Protocol):
    """The sessions of a running server. Each method raises DrillError when the server refuses."""

    def open(self, model: str) -> str:
        """A new session with a model (``provider/model``); its id."""
        ...

    def play(self, id: str, turn: Turn, seconds: float) -> bool:
        """Play a turn of the session; False when it has not ended after ``seconds``."""
        ...

    def stop(self, id: str) -> None:
        """Cancel the session's turn."""
        ...

    def stored(self, id: str) -> Session:
        """The session as the server has stored it."""
        ...

    def shown(self, id: str) -> str:
        """The text that the session's screen shows."""
        ...

    def running(self) -> int:
        """How many sessions are in the middle of a turn."""
        ...

    def count(self, limit: int) -> int:
        """How many sessions there are; ``limit`` bounds what the server lists."""
        ...


def is_second(subject: Subject) -> bool:
    """Whether it is OpenCode 2."""
    return of_version(version_of(f"v{subject.version}")) is OPENCODE_2


def spoken(subject: Subject, turn: Turn) -> Turn:
    """The turn with this program's names for the tools."""
    return translated_turn(turn) if is_second(subject) else turn


@contextmanager
def running(subject: Subject, home: Home) -> Iterator[Sessions]:
    """Run the program's server in ``home``, ended with the block. Raises DrillError when it cannot be run."""
    if is_second(subject):
        # The built-in catalogue has models that need no key, and one of them could be asked for titles.
        catalogue = home.root / "models.json"
        files.write_json(catalogue, {})
        with opencode_2.served(subject.binary, home, {"OPENCODE_MODELS_PATH": str(catalogue)}) as server:
            second = _Second(server.at(home.work), subject)
            with second.server.following(second.event):
                yield second
        return
    client = Client("")
    with serving(subject.binary, home) as server, server.following(client.event):
        yield _First(server, client)


class _First:
    def __init__(self, server: OpenCodeServer, client: Client) -> None:
        self._server = server
        self._client = client
        self._models: dict[str, str] = {}

    def open(self, model: str) -> str:
        id = str(as_object(self._server.call("POST", "/session", {})).get("id"))
        self._models[id] = model
        return id

    def play(self, id: str, turn: Turn, seconds: float) -> bool:
        self._client.ask(self._server, id, turn.prompt, model=self._models[id])
        return self._client.wait(id, seconds)

    def stop(self, id: str) -> None:
        self._server.call("POST", f"/session/{id}/abort")

    def stored(self, id: str) -> Session:
        return stored.read_session(self._server, id)

    def shown(self, id: str) -> str:
        return self._client.screen.text(id)

    def running(self) -> int:
        found = as_object(self._server.call("GET", "/session/status"))
        return sum(as_object(status).get("type") != "idle" for status in found.values())

    def count(self, limit: int) -> int:
        return len(as_objects(self._server.call("GET", f"/session?limit={limit}")))


class _Second:
    def __init__(self, server: OpenCodeServer, subject: Subject) -> None:
        self.server = server
        self._patched = subject.patched
        self._screens: dict[str, opencode_2.Screen] = {}
        self._changed = threading.Condition()
        self._ended: Counter[str] = Counter()

    def event(self, event: ServerEvent) -> None:
        """Handle one event of the server."""
        with self._changed:
            for screen in self._screens.values():
                screen.event(event)
            if event.kind.startswith("session.execution.") and event.kind != "session.execution.started":
                self._ended[str(event.properties.get("sessionID"))] += 1
                self._changed.notify_all()

    def open(self, model: str) -> str:
        id = second_api.new_session(self.server, model, opencode_2.LIST_SECONDS)
        with self._changed:
            self._screens[id] = opencode_2.Screen(self._patched, session=id)
        return id

    def play(self, id: str, turn: Turn, seconds: float) -> bool:
        with self._changed:
            before = self._ended[id]
        self.server.call("POST", f"/api/session/{id}/prompt", {"text": turn.prompt})
        with self._changed:
            return self._changed.wait_for(lambda: self._ended[id] > before, seconds)

    def stop(self, id: str) -> None:
        self.server.call("POST", f"/api/session/{id}/interrupt")

    def stored(self, id: str) -> Session:
        found = second_api.read_session(self.server, id)
        # A summary is no message of the conversation.
        return replace(found, messages=tuple(message for message in found.messages if not message.summary))

    def shown(self, id: str) -> str:
        with self._changed:
            return self._screens[id].text

    def running(self) -> int:
        return len(as_object(as_object(self.server.call("GET", "/api/session/active")).get("data")))

    def count(self, limit: int) -> int:
        found = as_object(self.server.call("GET", f"/api/session?limit={limit}"))
        return len(as_objects(found.get("data")))
