"""Plays one scenario with one peer, as a client of OpenCode's server, and notes what a user would notice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bench.peers.peers import Peer
from opencode_patcher.base import files
from opencode_patcher.base.errors import DrillError
from opencode_patcher.drill.drivers import opencode_2, second_api
from opencode_patcher.drill.drivers.home import Home, furnish, start_project
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer, ServerEvent, serving
from opencode_patcher.drill.drivers.stored import effects, read_session
from opencode_patcher.drill.fakes import server as fake_server
from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.tools import FinishedTools
from opencode_patcher.drill.fakes.wire import as_object
from opencode_patcher.drill.scenarios.opencode_2 import translated
from opencode_patcher.drill.scenarios.scenario import Scenario
from opencode_patcher.drill.verdict.observation import Session

LIMIT_SECONDS = 90.0
"""After this many seconds a user has given up."""

SETTLED_SECONDS = 4.0
"""A session counts as finished when nothing has happened for this long: a plugin ends a turn to begin another."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """What was seen.

    ``answered``: the last message is the whole planned answer. ``leftovers`` are texts in the session that are not part
    of it: broken pieces, and answers that were given twice. ``tools`` is how often the planned tools ran, ``planned``
    how often they should. ``asked`` counts the user's messages, of which there was one. ``seconds`` is from the prompt
    to the last byte of the answer, None without one. ``requests`` are those of the conversation by provider.
    ``notices`` are what the user was told while waiting.
    """

    peer: str
    scenario: str
    answered: bool
    leftovers: tuple[str, ...]
    tools: int
    planned: int
    asked: int
    seconds: float | None
    requests: dict[str, int]
    notices: tuple[str, ...]
    error: str

    @property
    def clean(self) -> bool:
        """As if nothing had failed."""
        return self.answered and not self.leftovers and self.tools == self.planned and self.asked == 1


class _Watch:
    """Follows the events of a server: when something last happened, and what the user was told."""

    def __init__(self, tools: FinishedTools) -> None:
        self.idle = False
        self.last = time.monotonic()
        self.notices: list[str] = []
        self.error = ""
        self._tools = tools
        self._lock = threading.Lock()

    def event(self, event: ServerEvent) -> None:
        with self._lock:
            self.last = event.at
            said = event.properties
            match event.kind:
                case "session.status":
                    status = as_object(said.get("status"))
                    self.idle = status.get("type") == "idle"
                    if status.get("type") == "retry":
                        self.notices.append(str(status.get("message")))
                case "session.idle":
                    self.idle = True
                case "tui.toast.show":
                    self.notices.append(str(said.get("message")))
                case "session.error":
                    self.error = str(as_object(as_object(said.get("error")).get("data")).get("message", "an error"))
                case "session.retry.scheduled":
                    self.notices.append(str(as_object(said.get("error")).get("message")))
                case "session.tool.success" | "session.tool.failed":
                    self._tools.finish(str(said.get("callID")))
                case "message.part.updated":
                    part = as_object(said.get("part"))
                    if part.get("type") == "tool" and as_object(part.get("state")).get("status") == "completed":
                        self._tools.finish(str(part.get("callID")))


def play(peer: Peer, scenario: Scenario, place: Path) -> Played:
    """Play the first turn of a scenario in a new home in ``place``."""
    place.mkdir(parents=True)
    tools = FinishedTools()
    if peer.line == 2:
        scenario = translated(scenario)
    # Some peers cannot handle a slash in a model's id.
    providers = [replace(one, model=one.model.rpartition("/")[2]) for one in scenario.providers]
    if peer.other_model:
        providers[1:] = [replace(one, model=peer.other_model) for one in providers[1:]]
    fakes = [FakeProvider(provider, scenario.asked, tools) for provider in providers]
    with fake_server.hosting(fakes), contextmanager(peer.running)(fakes, place) as setup:
        home = furnish(Home(root=place), setup.settings)
        for name, content in setup.extra.items():
            files.write_json(home.config / name, content)
        start_project(home)
        serve, turn = (_serving_2, _turn_2) if peer.line == 2 else (serving, _turn)
        with serve(peer.binary, home) as server:
            watch = _Watch(tools)
            here = server.at(home.work)
            with here.following(watch.event):
                session, started = turn(here, setup.model, scenario, watch, fakes)
        return _judged(peer, scenario, session, started, watch, fakes, effects(home))


def _turn(
    server: OpenCodeServer, model: str, scenario: Scenario, watch: _Watch, fakes: Sequence[FakeProvider]
) -> tuple[Session, float]:
    id = str(as_object(server.call("POST", "/session", {})).get("id"))
    provider, _, name = model.partition("/")
    body = {
        "model": {"providerID": provider, "modelID": name},
        "parts": [{"type": "text", "text": scenario.turns[0].prompt}],
    }
    started = time.monotonic()
    server.call("POST", f"/session/{id}/prompt_async", body)
    if not _settles(started, watch, fakes, lambda: watch.idle):
        _interrupt(server, f"/session/{id}/abort")
    return read_session(server, id), started


def _serving_2(binary: Path, home: Home) -> AbstractContextManager[OpenCodeServer]:
    return opencode_2.served(binary, home, {})


def _turn_2(
    server: OpenCodeServer, model: str, scenario: Scenario, watch: _Watch, fakes: Sequence[FakeProvider]
) -> tuple[Session, float]:
    """As ``_turn``, with the API of OpenCode 2, which can be asked at any time whether a session is idle."""
    id = second_api.new_session(server, model, LIMIT_SECONDS)
    started = time.monotonic()
    server.call("POST", f"/api/session/{id}/prompt", {"text": scenario.turns[0].prompt})
    if not _settles(started, watch, fakes, lambda: second_api.is_idle(server, id)):
        _interrupt(server, f"/api/session/{id}/interrupt")
    return second_api.read_session(server, id), started


def _settles(started: float, watch: _Watch, fakes: Sequence[FakeProvider], is_idle: Callable[[], bool]) -> bool:
    """Wait until the session is idle, no request is under way, and nothing has happened for a while.

    Returns False when that takes longer than ``LIMIT_SECONDS``.
    """
    while time.monotonic() < started + LIMIT_SECONDS:
        busy = any(one.finished is None for fake in fakes for one in fake.exchanges)
        if not busy and time.monotonic() > watch.last + SETTLED_SECONDS and is_idle():
            return True
        time.sleep(0.1)
    return False


def _interrupt(server: OpenCodeServer, route: str) -> None:
    """End a turn that takes too long, and give OpenCode a moment to store the result."""
    with suppress(DrillError):
        server.call("POST", route)
    time.sleep(1)


def _judged(
    peer: Peer,
    scenario: Scenario,
    session: Session,
    started: float,
    watch: _Watch,
    fakes: Sequence[FakeProvider],
    ran: int,
) -> Played:
    replies = scenario.turns[0].replies
    texts = [part.text for message in session.messages for part in message.parts if part.kind == "text" and part.text]
    good = [{reply.text(fake.provider.id) for fake in fakes} for reply in replies]
    left, wanted = [], [*good]
    for text in texts:
        if wanted and text in wanted[0]:
            wanted.pop(0)
        else:
            left.append(text)
    # A proxy may ask for a list of models, which has no body.
    turns = [one for fake in fakes for one in fake.exchanges if one.purpose is Purpose.TURN and one.body]
    ends = [one.finished for one in turns if one.finished and not one.failed and not one.hung_up]
    answered = bool(texts) and texts[-1] in good[-1]
    return Played(
        peer=peer.name,
        scenario=scenario.name,
        answered=answered,
        leftovers=tuple(left),
        tools=ran,
        planned=scenario.effects,
        asked=session.asked,
        seconds=max(ends) - started if answered and ends else None,
        requests=dict(Counter(one.provider for one in turns)),
        notices=tuple(dict.fromkeys(watch.notices)),
        error=watch.error or next((one.error for one in reversed(session.messages) if one.error), ""),
    )
