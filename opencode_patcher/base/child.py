"""A running program: reads what it prints and ends it. Part of ``process``, which everybody else uses."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from opencode_patcher.base.errors import ProcessError, StoreError
from opencode_patcher.base.progress import Reporter

TAIL_LINES = 40
"""How many lines of each of a failed program's two streams go into the error."""

TAIL_CHARACTERS = 10_000
"""How much of each of them."""

LINE_LIMIT = 16_000_000
"""Characters. Output without line breaks is passed on in pieces of this length."""

OUTPUT_LIMIT = 256_000_000
"""How many characters of a stream are kept. The longest output we need, git's list of all objects, has about ten
million."""

GRACE_SECONDS = 5.0
"""How long a program may take to end after it was asked to, and its output to end after the program has."""

CHILDREN_GRACE_SECONDS = 0.5
"""How long a program's children may take to clean up after we have ended the program itself."""

OnLine = Callable[[str, str], None]
"""Called with the name of a stream (``stdout`` or ``stderr``) and a line without its newline."""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Gets what a program prints while it runs."""

    reporter: Reporter | None = None
    log: TextIO | None = None
    on_line: OnLine | None = None


@contextlib.contextmanager
def open_log(path: Path) -> Iterator[TextIO]:
    """Open the log for appending. A link or a pipe in its place is refused: the output would go elsewhere."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o600)

    try:
        file = open(path, "a", encoding="utf-8", opener=opener)  # noqa: SIM115 (closed below, in silence)
    except OSError as error:
        raise _log_error(path, error) from error
    try:
        yield file
    finally:
        # A failed write was already reported when the line was passed on.
        with contextlib.suppress(OSError):
            file.close()


def _log_error(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The log {path} cannot be written.",
        why=f"{error.strerror or error}.",
        next_step="Free some space or fix the permissions, and run the same command again.",
    )


def _too_much(child: subprocess.Popen[str]) -> ProcessError:
    words = child.args if isinstance(child.args, list) else [str(child.args)]
    why = f"It printed more than {OUTPUT_LIMIT / 1e6:g} million characters."
    return ProcessError(f"{Path(str(words[0])).name} was ended.", why=why)


class Streams:
    """A child's streams, each read or fed by its own thread, so that none fills up and blocks the child.

    ``failure`` is the first error raised while a line was passed on. The child is then ended, and the rest of its
    output is ignored.
    """

    def __init__(
        self,
        child: subprocess.Popen[str],
        listener: Listener,
    ) -> None:
        self.captured: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self.failure: Exception | None = None
        self._child = child
        self._listener = listener
        # One for each stream: both are read at the same time, and a lot of output must not push out the error message.
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
        """Wait for the output to end. A child in the background may hold it open; then that child is ended."""
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
        kept = 0
        while line := stream.readline(LINE_LIMIT):
            kept += len(line)
            if kept <= OUTPUT_LIMIT:
                self.captured[name].append(line)
            elif self._listener.log is None and self.failure is None:
                self.failure = _too_much(self._child)
                end(self._child)
            text = line.rstrip("\r\n")
            self._tails[name].append(text[-TAIL_CHARACTERS:])
            if self.failure is None:
                try:
                    self._pass_on(name, line, text)
                except Exception as error:
                    self.failure = error
                    end(self._child)

    def _pass_on(self, name: str, line: str, text: str) -> None:
        listener = self._listener
        if listener.on_line:
            listener.on_line(name, text)
        with self._passing:
            if listener.log:
                try:
                    listener.log.write(line)
                    listener.log.flush()
                except OSError as error:
                    raise _log_error(Path(listener.log.name), error) from error
            if listener.reporter and listener.reporter.verbose:
                listener.reporter.output(text)

    def _feed(self, texts: Iterable[str]) -> None:
        stream = self._child.stdin
        assert stream is not None
        # A program may end, or close its input, before it has read everything.
        with contextlib.suppress(OSError), stream:
            for text in texts:
                stream.write(text)
                stream.flush()


def end(child: subprocess.Popen[str]) -> None:
    """Ask a program and its children to end, then kill them."""
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
    # macOS reports "not permitted" for a group that only has ended programs left.
    except (ProcessLookupError, PermissionError):
        return False
    return True
