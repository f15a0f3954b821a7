"""The one door through which programs are run.

Silent when all is well, the whole end of the output when it is not, streamed when the reporter is verbose.
A program is started in a process group of its own, so that an interrupt or a timeout ends its children too.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from opencode_patcher.base import environment
from opencode_patcher.base.errors import ProcessError, ProcessTimeoutError, StoreError
from opencode_patcher.base.progress import Reporter, SilentReporter

TAIL_LINES = 40
"""How many lines of each of a failed program's two streams stand in the error."""

GRACE_SECONDS = 5.0
"""How long a program may take to end after it was asked to, and its output to end after the program has."""

CHILDREN_GRACE_SECONDS = 0.5
"""How long a program's children may take to tidy up once the program itself has ended at our wish."""


STOP_CHECK_SECONDS = 0.1
"""How often a program that another thread may end is looked after."""


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
    stdin: str | Iterable[str] | None = None,
    check: bool = True,
    timeout: float | None = None,
    log: Path | None = None,
    reporter: Reporter | None = None,
    on_line: Callable[[str, str], None] | None = None,
    stop: threading.Event | None = None,
) -> Completed:
    """Run a program to its end and return its output as text (UTF-8, undecodable bytes replaced).

    ``stdin`` is a text, or texts that are written as they come (asked for in a thread of their own).
    ``env`` is added to the scrubbed environment as in ``environment.scrubbed``; ``timeout`` is in seconds;
    ``log`` gets stdout and stderr as they come, and ``on_line`` each line (stream name, line without its
    newline) in a thread of its own. When ``stop`` is set, the program and its children are ended, and what came of
    it counts as its end.
    Raises ProcessError when the program cannot be started or exits non-zero (unless ``check`` is False),
    ProcessTimeoutError when it runs out of time, and StoreError when ``log`` cannot be written. Then, and when
    KeyboardInterrupt or ``on_line`` raises, the program and its children are ended first.
    """
    words = [str(word) for word in argv]
    started = time.monotonic()
    log_file = _open_log(log) if log else None
    timed_out = False
    try:
        child = _start(words, cwd, environment.scrubbed(env), piped=stdin is not None)
        streams = _Streams(child, log_file, reporter or SilentReporter(), on_line)
        try:
            streams.start(stdin)
            try:
                _wait(child, timeout, stop)
            except subprocess.TimeoutExpired:
                timed_out = True
                end(child)
        except BaseException:
            end(child)
            raise
        finally:
            streams.finish()
    finally:
        if log_file:
            # What could not be written was reported when a line was passed on.
            with contextlib.suppress(OSError):
                log_file.close()
    if streams.failure:
        raise streams.failure

    name = Path(words[0]).name
    tail = streams.tail
    why = "\n".join([f"Command: {shlex.join(words)}", *tail])
    where = f"Its output is in {log}." if log else ""
    if timed_out:
        raise ProcessTimeoutError(
            f"{name} did not end within {timeout:g} s.", why=why, next_step=where, output="\n".join(tail)
        )
    if check and child.returncode != 0:
        raise ProcessError(
            f"{name} {_ending(child.returncode)}.",
            why=why,
            next_step=where,
            output="\n".join(tail),
            code=child.returncode,
        )
    return Completed(
        code=child.returncode,
        stdout="".join(streams.captured["stdout"]),
        stderr="".join(streams.captured["stderr"]),
        seconds=time.monotonic() - started,
    )


def _wait(child: subprocess.Popen[str], timeout: float | None, stop: threading.Event | None) -> None:
    """Wait for the end of a program, or end it at the wish of another thread. Raises subprocess.TimeoutExpired."""
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


def _start(words: list[str], cwd: Path | None, variables: Mapping[str, str], *, piped: bool) -> subprocess.Popen[str]:
    what = f"{Path(words[0]).name} could not be started."
    try:
        return subprocess.Popen(
            words,
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
        raise ProcessError(what, why=_missing(words[0], cwd)) from error
    except OSError as error:
        raise ProcessError(what, why=f"{error.strerror or error}: {error.filename or words[0]}") from error


def _missing(program: str, cwd: Path | None) -> str:
    if cwd is not None and not cwd.is_dir():
        return f"The directory {cwd} does not exist."
    if Path(program).is_file():
        return f"{program} is there, but the interpreter or loader that it needs is not."
    return f"{program} does not exist." if Path(program).name != program else f"There is no {program} on PATH."


def _ending(code: int) -> str:
    if code >= 0:
        return f"failed with exit code {code}"
    by = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    return f"was ended by {by}" + (" (the system does that when memory runs out)" if by == "SIGKILL" else "")


def _open_log(path: Path) -> TextIO:
    try:
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise _log_error(path, error) from error


def _log_error(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The log {path} cannot be written.",
        why=f"{error.strerror or error}.",
        next_step="Free some space or fix the permissions, and run the same command again.",
    )


class _Streams:
    """A child's streams, each served by a thread, so that none fills up and blocks the child.

    ``failure`` is the first error that came while a line was passed on. The child is ended then, and what it still
    says is only read.
    """

    def __init__(
        self,
        child: subprocess.Popen[str],
        log: TextIO | None,
        reporter: Reporter,
        on_line: Callable[[str, str], None] | None,
    ) -> None:
        self.captured: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self.failure: Exception | None = None
        self._child = child
        self._log = log
        self._reporter = reporter
        self._on_line = on_line
        # One for each stream: they are read side by side, and much output must not push out the error message.
        self._tails = {name: deque[str](maxlen=TAIL_LINES) for name in self.captured}
        self._passing = threading.Lock()
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in self.captured]

    @property
    def tail(self) -> list[str]:
        """The last lines of standard output, then those of standard error."""
        return [*self._tails["stdout"], *self._tails["stderr"]]

    def start(self, stdin: str | Iterable[str] | None) -> None:
        for reader in self._readers:
            reader.start()
        if stdin is not None:
            texts = [stdin] if isinstance(stdin, str) else stdin
            threading.Thread(target=self._feed, args=(texts,), daemon=True).start()

    def finish(self) -> None:
        """Wait for the end of the output, which a child in the background may hold open; it is ended then."""
        readers = [reader for reader in self._readers if reader.ident is not None]
        for attempt in (GRACE_SECONDS, CHILDREN_GRACE_SECONDS):
            deadline = time.monotonic() + attempt
            for reader in readers:
                reader.join(max(deadline - time.monotonic(), 0.0))
            if not any(reader.is_alive() for reader in readers):
                break
            _kill(self._child)
        for stream, reader in ((self._child.stdout, self._readers[0]), (self._child.stderr, self._readers[1])):
            # A stream that is being read cannot be closed: that would wait for its reader.
            if stream is not None and not reader.is_alive():
                stream.close()

    def _read(self, name: str) -> None:
        stream = self._child.stdout if name == "stdout" else self._child.stderr
        assert stream is not None
        for line in stream:
            self.captured[name].append(line)
            text = line.rstrip("\r\n")
            self._tails[name].append(text)
            if self.failure is None:
                try:
                    self._pass_on(name, line, text)
                except Exception as error:
                    self.failure = error
                    end(self._child)

    def _pass_on(self, name: str, line: str, text: str) -> None:
        if self._on_line:
            self._on_line(name, text)
        with self._passing:
            if self._log:
                try:
                    self._log.write(line)
                    self._log.flush()
                except OSError as error:
                    raise _log_error(Path(self._log.name), error) from error
            if self._reporter.verbose:
                self._reporter.output(text)

    def _feed(self, texts: Iterable[str]) -> None:
        stream = self._child.stdin
        assert stream is not None
        # A program may end, or close its input, without having read it all.
        with contextlib.suppress(OSError), stream:
            for text in texts:
                stream.write(text)
                stream.flush()


def end(child: subprocess.Popen[str]) -> None:
    """Ask a program and its children to end, then make them."""
    try:
        _signal(child, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
        deadline = time.monotonic() + CHILDREN_GRACE_SECONDS
        while _signal(child, 0) and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        _kill(child)
        child.wait()


def _kill(child: subprocess.Popen[str]) -> None:
    _signal(child, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def _signal(child: subprocess.Popen[str], number: int) -> bool:
    """Send a signal to a program and its children, 0 to send none. False when none of them is left."""
    if sys.platform == "win32":
        if number:
            child.terminate()
        return child.poll() is None
    try:
        os.killpg(child.pid, number)
    # macOS says "not permitted" of a group in which only ended programs are left.
    except (ProcessLookupError, PermissionError):
        return False
    return True
