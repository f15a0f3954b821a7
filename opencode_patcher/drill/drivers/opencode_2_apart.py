"""Scenarios of OpenCode 2 that the shared server cannot play. One needs the program's own ``run``, which answers
questions by itself. In the other, a service is killed and the next one continues its turns.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from opencode_patcher.base import files, process
from opencode_patcher.base.errors import DrillError, ProcessError, ProcessTimeoutError
from opencode_patcher.drill.drivers.home import environment
from opencode_patcher.drill.drivers.opencode_2 import LIST_SECONDS
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer, serving
from opencode_patcher.drill.drivers.run import SETTLED_SECONDS
from opencode_patcher.drill.drivers.second_api import await_model, error_event, new_session, read_session, rests
from opencode_patcher.drill.drivers.stage import Stage
from opencode_patcher.drill.drivers.stored import LOOK_SECONDS, effects, settled
from opencode_patcher.drill.fakes.wire import as_object
from opencode_patcher.drill.scenarios.pace import Pace
from opencode_patcher.drill.verdict.observation import Event, Observation, Session, parse_event


def observe_run(
    stage: Stage, server: OpenCodeServer, *, limit: float, pace: Pace, stop: threading.Event | None = None
) -> Observation:
    """Send the first prompt with ``opencode2 run`` to the server. Arguments as for ``opencode_2.observe``.

    Raises DrillError when the program cannot be run.
    """
    own = server.at(stage.home.work, stage.restore)
    await_model(own, stage.restore(stage.model), LIST_SECONDS)
    printed = _Printed(stage)
    started = time.monotonic()
    code = printed.run(server, limit, stop)
    found: Session | None = None
    if id := printed.session:
        with suppress(DrillError):
            found = settled(lambda: read_session(own, id), pace, title=None)
    return _observation(stage, limit, started, tuple(printed.events), found, code, stderr="\n".join(printed.stderr))


@dataclass
class _Printed:
    """What ``run`` prints."""

    stage: Stage
    events: list[Event] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)

    @property
    def session(self) -> str | None:
        return next((str(event.data["sessionID"]) for event in self.events if "sessionID" in event.data), None)

    def run(self, server: OpenCodeServer, limit: float, stop: threading.Event | None) -> int | None:
        """The exit code; None when it did not end in time."""
        home, prompt = self.stage.home, self.stage.scenario.turns[0].prompt
        options = ["--server", server.url, "--format", "json", "--model", self.stage.model]
        binary = self.stage.subject.binary
        try:
            return process.converse(
                [binary, "run", *options, prompt],
                cwd=home.work,
                env=environment(home) | {"OPENCODE_PASSWORD": server.password},
                timeout=limit,
                on_line=self._line,
                stop=stop,
            ).code
        except ProcessTimeoutError:
            return None
        except ProcessError as error:
            raise DrillError(f"{binary} cannot be run.", why=str(error)) from error

    def _line(self, stream: str, line: str) -> None:
        line = self.stage.restore(line)
        event = parse_event(line, time.monotonic()) if stream == "stdout" else None
        if event:
            self.events.append(event)
        elif line.strip():
            self.stderr.append(line)


def observe_restart(
    stage: Stage, variables: Mapping[str, str], *, limit: float, pace: Pace, stop: threading.Event | None = None
) -> Observation:
    """Send the first prompt to the service of the stage's home, which is killed once every provider has failed; the
    next service goes on. ``variables`` are added to their environment. Other arguments as for ``opencode_2.observe``.
    """
    started = time.monotonic()
    found: Session | None = None
    events: list[Event] = []
    code: int | None = 0
    try:
        with _service(stage, variables) as server:
            id = _asked(stage, server)
            _await_failures(stage, limit, stop)
            pid = as_object(server.call("GET", "/api/health")).get("pid")
            assert isinstance(pid, int)
            os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
        with _service(stage, variables) as server:
            # The turn is not active at once in the new service.
            deadline = time.monotonic() + limit
            while not stage.is_cancellable and time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
            code = 0 if rests(server, id, limit, stop) else None
            found = settled(lambda: read_session(server, id), pace, title=stage.scenario.expected.title)
            events += [error_event(message.error) for message in found.messages if message.error]
    except DrillError as error:
        events.append(error_event(f"{error} {error.why}"))
    return _observation(stage, limit, started, tuple(events), found, 1 if code == 0 and events else code)


@contextmanager
def _service(stage: Stage, variables: Mapping[str, str]) -> Iterator[OpenCodeServer]:
    """The service that all programs of a user share, with a password that is known."""
    home = stage.home
    files.write_json(home.config / "service.json", {"password": home.password})
    with serving(stage.subject.binary, home, variables=variables, arguments=("--service",)) as server:
        yield replace(server.at(home.work, stage.restore), events="/api/event", payload="data")


def _asked(stage: Stage, server: OpenCodeServer) -> str:
    """The session in which the first prompt was sent."""
    id = new_session(server, stage.model, LIST_SECONDS)
    server.call("POST", f"/api/session/{id}/prompt", {"text": stage.scenario.turns[0].prompt})
    return id


def _await_failures(stage: Stage, limit: float, stop: threading.Event | None) -> None:
    providers = {provider.id for provider in stage.scenario.providers}
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and not (stop and stop.is_set()):
        failed = {one.provider for one in stage.exchanges if one.failed and one.finished is not None}
        if providers <= failed:
            break
        time.sleep(LOOK_SECONDS)
    time.sleep(SETTLED_SECONDS)


def _observation(
    stage: Stage,
    limit: float,
    started: float,
    events: tuple[Event, ...],
    session: Session | None,
    code: int | None,
    *,
    stderr: str = "",
) -> Observation:
    return Observation(
        scenario=stage.scenario,
        subject=stage.subject,
        exchanges=stage.exchanges,
        events=events,
        session=session,
        screen="".join(message.text for message in session.messages) if session else "",
        effects=effects(stage.home),
        code=code,
        limit=limit,
        started=started,
        seconds=time.monotonic() - started,
        stderr=stderr,
    )
