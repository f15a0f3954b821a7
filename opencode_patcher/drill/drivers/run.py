"""Runs a scenario through ``opencode run``: each turn is a process that continues the previous one's session."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessError, ProcessTimeoutError
from opencode_patcher.drill.drivers.home import environment
from opencode_patcher.drill.drivers.stage import Stage
from opencode_patcher.drill.drivers.stored import Reader, effects
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.wire import as_object
from opencode_patcher.drill.verdict.observation import Event, Observation, parse_event

WATCH_SECONDS = 0.05

SETTLED_SECONDS = 1.5
"""A process that will be killed gets this long after the last failure to begin its wait."""


def observe(stage: Stage, read: Reader, *, limit: float, stop: threading.Event | None = None) -> Observation:
    """Run the scenario and return everything that was observed. ``limit`` bounds each turn, in seconds; ``read`` finds
    the stored session; ``stop`` ends the run early. Raises DrillError when the binary cannot be run.
    """
    processes = _Processes(stage, limit, stop)
    started = time.monotonic()
    code = processes.turns(stage.scenario.turns)
    seconds = time.monotonic() - started
    return Observation(
        scenario=stage.scenario,
        subject=stage.subject,
        exchanges=stage.exchanges,
        events=tuple(processes.events),
        session=read(processes.session_id),
        effects=effects(stage.home),
        code=code,
        limit=limit,
        started=started,
        seconds=seconds,
        stderr="\n".join(processes.stderr),
    )


class _Processes:
    """The processes of one scenario, one after another, and their output."""

    def __init__(self, stage: Stage, limit: float, stop: threading.Event | None) -> None:
        self._stage = stage
        self._limit = limit
        self._stop = stop
        self._lock = threading.Lock()
        self.events: list[Event] = []
        self.stderr: list[str] = []

    @property
    def session_id(self) -> str | None:
        """The session of the last turn; a fork has its own."""
        seen = (str(event.data["sessionID"]) for event in reversed(self.events) if "sessionID" in event.data)
        return next(seen, None)

    def turns(self, turns: Sequence[Turn]) -> int | None:
        """The exit code of the last process; None when it had to be killed."""
        code: int | None = 0
        for turn in turns:
            time.sleep(turn.pause)
            session = ["--session", self.session_id] if self.session_id else []
            usual = ["--model", self._stage.model, *session, turn.prompt]
            arguments = ["run", "--format", "json", *(turn.arguments or usual)]
            if turn.killed:
                with self._failing() as failed:
                    code = 0 if self._turn(arguments, failed) is not None else None
            else:
                code = self._turn(arguments, self._stop)
            if code != 0:
                break
        return code

    @contextmanager
    def _failing(self) -> Iterator[threading.Event]:
        """An event that is set once every provider has failed, so that the process that waits then is killed."""
        failed, over = threading.Event(), threading.Event()

        def watch() -> None:
            providers = {provider.id for provider in self._stage.scenario.providers}
            while not over.wait(WATCH_SECONDS):
                ended = {one.provider for one in self._stage.exchanges if one.failed and one.finished is not None}
                if providers <= ended and not over.wait(SETTLED_SECONDS):
                    break
            failed.set()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield failed
        finally:
            over.set()
            thread.join()

    def _turn(self, arguments: list[str], stop: threading.Event | None) -> int | None:
        binary, home = self._stage.subject.binary, self._stage.home
        try:
            return process.converse(
                [binary, *arguments],
                cwd=home.work,
                env=environment(home),
                timeout=self._limit,
                on_line=self._line,
                stop=stop,
            ).code
        except ProcessTimeoutError:
            return None
        except ProcessError as error:
            raise DrillError(f"{binary} cannot be run.", why=str(error)) from error

    def _line(self, stream: str, line: str) -> None:
        at = time.monotonic()
        line = self._stage.restore(line)
        event = parse_event(line, at) if stream == "stdout" else None
        with self._lock:
            if event:
                self.events.append(event)
            elif line.strip():
                self.stderr.append(line)
        if event and event.kind == "tool_use":
            self._stage.tools.finish(str(as_object(event.data.get("part")).get("callID")))
