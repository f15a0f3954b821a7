"""The only module that runs programs: ``run`` for most, ``run_logged`` for long ones, ``converse`` for those that get
input while they run.

A program's output is not shown when it succeeds; when it fails, the end of its output is in the error. A verbose
reporter gets all of it as it comes. Each program is started in a process group of its own, so that an interrupt or a
timeout ends its children too.
"""

from __future__ import annotations

import contextlib
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import environment, guard
from opencode_patcher.base.child import Listener, OnLine, Streams, end, open_log
from opencode_patcher.base.errors import ProcessError, ProcessTimeoutError
from opencode_patcher.base.progress import Reporter

STOP_CHECK_SECONDS = 0.1
"""How often we check whether another thread wants the program to end."""


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A program that ended with exit code 0 (or any code when ``check=False``). ``seconds`` is wall time."""

    code: int
    stdout: str
    stderr: str
    seconds: float


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    stdin: str | None = None,
    check: bool = True,
    timeout: float | None = None,
    reporter: Reporter | None = None,
) -> Completed:
    """Run a program to its end and return its output as text (UTF-8, undecodable bytes replaced).

    ``env`` is added to the scrubbed environment as in ``environment.scrubbed``; ``timeout`` is in seconds. Without
    ``cwd`` it runs in ``environment.neutral_directory``. A program without a directory is looked up on PATH, and never
    in the current directory.
    Raises ProcessError when the program cannot be started or exits non-zero (unless ``check`` is False), and
    ProcessTimeoutError when it runs out of time. Then, and on KeyboardInterrupt, it and its children are ended first.
    """
    program = _Program(argv, cwd, env)
    ended = program.complete(Listener(reporter=reporter), stdin=None if stdin is None else [stdin], timeout=timeout)
    return program.result(ended, check=check)


def run_logged(
    argv: Sequence[str | Path],
    log: Path,
    reporter: Reporter,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    check: bool = True,
    on_line: OnLine | None = None,
) -> Completed:
    """As ``run``, for a long program: its output is appended to the file ``log`` as it comes, and each line is passed
    to ``on_line`` in a separate thread. An error of ``on_line`` ends the program and is raised.

    Raises ProcessError, and StoreError when ``log`` cannot be written.
    """
    program = _Program(argv, cwd, env)
    with open_log(log) as file:
        ended = program.complete(Listener(reporter=reporter, log=file, on_line=on_line))
    return program.result(ended, check=check, log=log)


def converse(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    stdin: Iterable[str] | None = None,
    timeout: float | None = None,
    on_line: OnLine | None = None,
    stop: threading.Event | None = None,
) -> Completed:
    """As ``run``, for a program that gets input while it runs: ``stdin`` yields the input as it comes (read in a
    separate thread), ``on_line`` gets each line, and when ``stop`` is set the program and its children are ended.

    Any exit code is fine. Raises ProcessError when it cannot be started, and ProcessTimeoutError.
    """
    program = _Program(argv, cwd, env)
    ended = program.complete(Listener(on_line=on_line), stdin=stdin, timeout=timeout, stop=stop)
    return program.result(ended, check=False)


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """How a program ended; ``late`` when it ran out of its ``timeout`` and was ended by force."""

    code: int
    streams: Streams
    seconds: float
    late: bool
    timeout: float | None


class _Program:
    """What to run, and in which directory and environment."""

    def __init__(self, argv: Sequence[str | Path], cwd: Path | None, env: Mapping[str, str | None] | None) -> None:
        self._words = [str(word) for word in argv]
        self._cwd = cwd or environment.neutral_directory()
        # Some programs, OpenCode among them, prefer PWD to their actual directory.
        self._variables = environment.scrubbed({"PWD": str(self._cwd), **(env or {})})

    def complete(
        self,
        listener: Listener,
        *,
        stdin: Iterable[str] | None = None,
        timeout: float | None = None,
        stop: threading.Event | None = None,
    ) -> _Ended:
        """Start it and wait for it to end. If anything is raised meanwhile, it and its children are ended first."""
        started = time.monotonic()
        late = False
        child = _start(self._words, self._cwd, self._variables, piped=stdin is not None)
        guard.watch(child.pid)
        streams = Streams(child, listener)
        try:
            streams.start(stdin)
            try:
                _wait(child, timeout, stop)
            except subprocess.TimeoutExpired:
                late = True
                end(child)
        except BaseException:
            end(child)
            raise
        finally:
            streams.finish()
            guard.forget(child.pid)
        if streams.failure:
            raise streams.failure
        seconds = time.monotonic() - started
        return _Ended(code=child.returncode, streams=streams, seconds=seconds, late=late, timeout=timeout)

    def result(self, ended: _Ended, *, check: bool, log: Path | None = None) -> Completed:
        """The result; raises the error for a failure."""
        name, tail = Path(self._words[0]).name, ended.streams.tail
        why = "\n".join([f"Command: {shlex.join(self._words)}", *tail])
        where, output = f"Its output is in {log}." if log else "", "\n".join(tail)
        if ended.late:
            what = f"{name} did not end within {ended.timeout:g} s."
            raise ProcessTimeoutError(what, why=why, next_step=where, output=output)
        if check and ended.code != 0:
            what = f"{name} {_ending(ended.code)}."
            raise ProcessError(what, why=why, next_step=where, output=output, code=ended.code)
        captured = ended.streams.captured
        return Completed(
            code=ended.code,
            stdout="".join(captured["stdout"]),
            stderr="".join(captured["stderr"]),
            seconds=ended.seconds,
        )


def _wait(child: subprocess.Popen[str], timeout: float | None, stop: threading.Event | None) -> None:
    """Wait for a program to end, or end it when another thread asks for that. Raises subprocess.TimeoutExpired."""
    if stop is None:
        child.wait(timeout)
        return
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = STOP_CHECK_SECONDS if deadline is None else min(STOP_CHECK_SECONDS, deadline - time.monotonic())
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(left, 0.0))
            return
        if stop.is_set():
            end(child)
            return
        if deadline is not None and time.monotonic() >= deadline:
            raise subprocess.TimeoutExpired(child.args, timeout or 0.0)


def _start(words: list[str], cwd: Path, variables: Mapping[str, str], *, piped: bool) -> subprocess.Popen[str]:
    what = f"{Path(words[0]).name} could not be started."
    program = words[0]
    if Path(program).name == program:
        found = environment.find_program(program, variables.get("PATH", ""))
        if found is None:
            raise ProcessError(what, why=f"There is no {program} on PATH.")
        program = str(found)
    try:
        return subprocess.Popen(
            [program, *words[1:]],
            cwd=cwd,
            env=variables,
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=sys.platform != "win32",
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ProcessError(what, why=_missing(program, cwd)) from error
    except OSError as error:
        raise ProcessError(what, why=f"{error.strerror or error}: {error.filename or words[0]}") from error


def _missing(program: str, cwd: Path) -> str:
    if not cwd.is_dir():
        return f"The directory {cwd} does not exist."
    if Path(program).is_file():
        return f"{program} is there, but the interpreter or loader that it needs is not."
    return f"{program} does not exist."


def _ending(code: int) -> str:
    if code >= 0:
        return f"failed with exit code {code}"
    by = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    return f"was ended by {by}" + (" (the system does that when memory runs out)" if by == "SIGKILL" else "")
