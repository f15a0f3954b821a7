"""What a scenario left behind: the stored session, and the lines that its tools have written."""

from __future__ import annotations

from collections.abc import Callable

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessError
from opencode_patcher.drill.drivers.home import Home, environment
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer
from opencode_patcher.drill.fakes.wire import as_object, as_objects
from opencode_patcher.drill.fakes.wire import read as read_json
from opencode_patcher.drill.scenarios.scenario import EFFECTS
from opencode_patcher.drill.verdict.observation import Session, Subject, parse_export, session

COMMAND_SECONDS = 180.0
"""The limit for commands without a provider; the first one in a fresh home sets up the database."""

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
