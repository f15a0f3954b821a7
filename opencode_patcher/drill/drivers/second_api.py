"""Runs a scenario through the second API of a server (``/api``): a session, prompts, and what is stored.

Its answers come from a separate runner, and its events differ from the first API's. So what counts is what is stored
once the session is idle.
"""

from __future__ import annotations

import threading
import time

from opencode_patcher.base.errors import DrillError
from opencode_patcher.base.line import RUNNER
from opencode_patcher.base.version import parse_tag
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer
from opencode_patcher.drill.drivers.stage import Stage
from opencode_patcher.drill.drivers.stored import LOOK_SECONDS, effects
from opencode_patcher.drill.fakes.wire import Object, as_object, as_objects
from opencode_patcher.drill.verdict.observation import Event, Observation, Session, StoredMessage, StoredPart

ENDED = {"completed", "error"}


def observe(stage: Stage, server: OpenCodeServer, *, limit: float, stop: threading.Event | None = None) -> Observation:
    """Run the scenario and return everything that was observed. ``limit`` bounds each turn, in seconds; ``stop`` ends
    the run early.
    """
    own = server.at(stage.home.work, stage.restore)
    started = time.monotonic()
    events: list[Event] = []
    found: Session | None = None
    code: int | None = 0
    try:
        id = _open(stage, own, limit)
        for turn in stage.scenario.turns:
            time.sleep(turn.pause)
            own.call("POST", f"/api/session/{id}/prompt", {"prompt": {"text": turn.prompt}})
            if not rests(own, id, limit, stop):
                code = None
                break
        found = read_session(own, id)
        events += [error_event(message.error) for message in found.messages if message.error]
    except DrillError as error:
        events.append(error_event(f"{error} {error.why}"))
    return Observation(
        scenario=stage.scenario,
        subject=stage.subject,
        exchanges=stage.exchanges,
        events=tuple(events),
        session=found,
        screen="".join(message.text for message in found.messages) if found else "",
        effects=effects(stage.home),
        code=1 if code == 0 and events else code,
        limit=limit,
        started=started,
        seconds=time.monotonic() - started,
        stderr="",
    )


def _open(stage: Stage, server: OpenCodeServer, limit: float) -> str:
    """A session with the scenario's model. Raises DrillError when the server does not list that model within ``limit``
    seconds: the list is empty until a project's providers have been loaded.
    """
    if RUNNER.has(parse_tag(f"v{stage.subject.version}")):
        return new_session(server, stage.model, limit)
    # In older releases only the first API can create sessions.
    return str(as_object(server.call("POST", "/session", {"model": _model(stage.model)})).get("id"))


def new_session(server: OpenCodeServer, model: str, limit: float, *, agent: str = "") -> str:
    """Make a session in the server's directory with a model (``provider/model``); its id. ``agent`` is "" for the
    default one. Raises DrillError when the server does not list the model within ``limit`` seconds.
    """
    await_model(server, server.restore(model), limit)
    body = {
        "model": _model(model),
        "location": {"directory": str(server.directory)},
        **({"agent": agent} if agent else {}),
    }
    return str(as_object(as_object(server.call("POST", "/api/session", body)).get("data")).get("id"))


def _model(name: str) -> dict[str, str]:
    provider, _, id = name.partition("/")
    return {"providerID": provider, "id": id}


def listed(server: OpenCodeServer) -> list[str]:
    """The models that the project lists, as ``provider/model``."""
    found = as_objects(as_object(server.call("GET", "/api/model")).get("data"))
    return [f"{one.get('providerID')}/{one.get('id')}" for one in found]


def await_model(server: OpenCodeServer, model: str, limit: float) -> None:
    """Wait until the project lists the model: the list is empty until the providers have been loaded. Raises DrillError
    when it does not within ``limit`` seconds.
    """
    deadline = time.monotonic() + limit
    while model not in (found := listed(server)):
        if time.monotonic() > deadline:
            raise DrillError(
                f"GET /api/model does not list {model}.", why="It lists: " + (", ".join(found) or "nothing")
            )
        time.sleep(LOOK_SECONDS)


def rests(
    server: OpenCodeServer, id: str, limit: float, stop: threading.Event | None, *, after: str | None = "assistant"
) -> bool:
    """Whether the session becomes idle within ``limit`` seconds, with a message of the type ``after`` as its newest one
    (None: with any).
    """
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and not (stop and stop.is_set()):
        if is_idle(server, id) and (after is None or _newest(server, id).get("type") == after):
            return True
        time.sleep(LOOK_SECONDS)
    return False


def is_idle(server: OpenCodeServer, id: str) -> bool:
    """Whether the session is idle."""
    return id not in as_object(as_object(server.call("GET", "/api/session/active")).get("data"))


def _newest(server: OpenCodeServer, id: str) -> Object:
    stored = as_objects(as_object(server.call("GET", f"/api/session/{id}/message?order=desc&limit=1")).get("data"))
    return stored[0] if stored else {}


def read_session(server: OpenCodeServer, id: str) -> Session:
    """A session as the server has stored it. Raises DrillError when there is none with that id."""
    info = as_object(as_object(server.call("GET", f"/api/session/{id}")).get("data"))
    stored = as_objects(as_object(server.call("GET", f"/api/session/{id}/message?order=asc")).get("data"))
    return Session(
        title=str(info.get("title", "")),
        messages=tuple(map(_message, (one for one in stored if one.get("type") in {"assistant", "compaction"}))),
        asked=sum(one.get("type") == "user" for one in stored),
    )


def _message(message: Object) -> StoredMessage:
    cost = message.get("cost")
    if message.get("type") == "compaction":
        return StoredMessage(
            provider="",
            model="",
            cost=0.0,
            error=str(as_object(message.get("error")).get("message", "")),
            completed=message.get("status") != "running",
            parts=(StoredPart(kind="text", text=str(message.get("summary", ""))),),
            summary=True,
        )
    model, error = as_object(message.get("model")), as_object(message.get("error"))
    return StoredMessage(
        provider=str(model.get("providerID", "")),
        model=str(model.get("id", "")),
        cost=float(cost) if isinstance(cost, int | float) else 0.0,
        error=str(error.get("message", "")),
        completed="completed" in as_object(message.get("time")),
        parts=tuple(_part(part) for part in as_objects(message.get("content"))),
        finish=str(message.get("finish") or ""),
    )


def _part(part: Object) -> StoredPart:
    kind, status = str(part.get("type", "")), str(as_object(part.get("state")).get("status", ""))
    return StoredPart(
        kind=kind,
        text=str(part.get("text", "")),
        call=str(part.get("id", "")) if kind == "tool" else "",
        status=status,
        closed=kind != "tool" or status in ENDED,
    )


def error_event(message: str) -> Event:
    """An error as a user sees it."""
    return Event(at=time.monotonic(), kind="error", data={"error": {"name": "Error", "data": {"message": message}}})
