"""What a scenario left behind: the stored session, and the lines that its tools have written."""

from __future__ import annotations

import time
from collections.abc import Callable

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessError
from opencode_patcher.drill.drivers.home import Home, environment
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer
from opencode_patcher.drill.fakes.wire import as_object, as_objects
from opencode_patcher.drill.fakes.wire import read as read_json
from opencode_patcher.drill.scenarios.pace import Pace
from opencode_patcher.drill.scenarios.scenario import EFFECTS
from opencode_patcher.drill.verdict.observation import Session, Subject, parse_export, session

COMMAND_SECONDS = 180.0
"""The limit for commands without a provider; the first one in a fresh home sets up the database."""

TITLE_SECONDS = 3.0
"""How long after the last turn to wait for the session's title, which is made in parallel with the first turn."""

SETTLE_SECONDS = 1.0
"""How long after a turn its messages may take to be completed: a server reports idle a moment before that."""

LOOK_SECONDS = 0.1
"""How often a server is asked for what it does not have yet."""

Reader = Callable[[str | None], Session | None]
"""Reads a session by its id, or the project's newest one; None when there is no such session."""


def served(server: OpenCodeServer) -> Reader:
    """Reads the sessions of a server's project through its API."""

    def read(id: str | None) -> Session | None:
        try:
            if id is None:
                listed = as_objects(server.call("GET", "/session"))
                if not listed:
                    return None
                id = str(listed[0].get("id"))
            return read_session(server, id)
        except DrillError:
            return None

    return read


def read_session(server: OpenCodeServer, id: str) -> Session:
    """A session as the server has stored it. Raises DrillError when there is none with that id."""
    info = server.call("GET", f"/session/{id}")
    return session(as_object(info), server.call("GET", f"/session/{id}/message"))


def settled(read: Callable[[], Session], pace: Pace, *, title: str | None) -> Session:
    """The session once its messages are completed and it has its ``title`` (None: any will do), or the time for that is
    over.
    """
    started = time.monotonic()
    found = read()
    while time.monotonic() < started + pace.scaled(_patience(found, title)):
        time.sleep(LOOK_SECONDS)
        found = read()
    return found


def _patience(found: Session, title: str | None) -> float:
    """How long to wait in total for what a session lacks, in seconds."""
    untitled = title is not None and found.title != title
    unclosed = any(not message.completed for message in found.messages)
    return max(TITLE_SECONDS if untitled else 0.0, SETTLE_SECONDS if unclosed else 0.0)


def exported(subject: Subject, home: Home) -> Reader:
    """Reads the sessions of a home as the binary itself exports them, so that the drill need not know the database."""

    def read(id: str | None) -> Session | None:
        try:
            if id is None:
                listed = as_objects(read_json(command(subject, home, "session", "list", "--format", "json")))
                if not listed:
                    return None
                id = str(listed[0]["id"])
            return parse_export(command(subject, home, "export", id))
        except (ProcessError, ValueError, LookupError, TypeError):
            return None

    return read


def command(subject: Subject, home: Home, *arguments: str) -> str:
    """The stdout of a command that needs no provider. Raises ProcessError when it fails."""
    done = process.run([subject.binary, *arguments], cwd=home.work, env=environment(home), timeout=COMMAND_SECONDS)
    return done.stdout


def effects(home: Home) -> int:
    """How many lines the drilled tools have written in the home's project."""
    path = home.work / EFFECTS
    return len(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else 0
