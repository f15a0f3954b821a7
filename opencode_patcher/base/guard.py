"""Ends what this tool has started, and removes its throw-away directories, when the tool itself is killed.

Nobody can catch SIGKILL. So a small program of its own waits at a pipe that closes when this process is no more,
however it ended; then it ends the programs that were still running, with their children. That works wherever there are
pipes: Linux's parent-death signal would reach the program alone, and comes already when the *thread* that started it
ends.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_GUARD = """
import json, os, shutil, signal, subprocess, sys, time

programs, directories = set(), set()
notes = {
    "watch": programs.add,
    "forget": programs.discard,
    "discard": directories.add,
    "removed": directories.discard,
}
for line in sys.stdin:
    what, value = json.loads(line)
    notes[what](value)

def tell(number):
    for program in list(programs):
        try:
            if os.name == "nt":
                subprocess.run(["taskkill", "/T", "/F", "/PID", str(program)], capture_output=True)
                programs.discard(program)
            else:
                os.killpg(program, number)
        except OSError:
            programs.discard(program)

tell(signal.SIGTERM)
deadline = time.monotonic() + 2
while programs and time.monotonic() < deadline:
    time.sleep(0.05)
    tell(0)
if os.name != "nt":
    tell(signal.SIGKILL)
for directory in directories:
    shutil.rmtree(directory, ignore_errors=True)
"""


class _Guard:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Isolated, so that nothing in the current directory has a say in what runs.
        self._program = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path(sys.executable).anchor,
            # An interrupt from the keyboard is for us.
            start_new_session=sys.platform != "win32",
        )

    def tell(self, what: str, value: int | str) -> None:
        stream = self._program.stdin
        assert stream is not None
        # Without a guard everything works but the tidying up after SIGKILL.
        with self._lock, contextlib.suppress(OSError, ValueError):
            stream.write(json.dumps([what, value]).encode() + b"\n")
            stream.flush()

    def close(self) -> None:
        assert self._program.stdin is not None
        with contextlib.suppress(OSError):
            self._program.stdin.close()
        self._program.wait()


_active: list[_Guard] = []


@contextlib.contextmanager
def guarding() -> Iterator[None]:
    """Until the end of the block, nothing that is started outlives this process. Blocks may be nested."""
    try:
        guard = _Guard()
    except OSError:
        # The programs that the block is about can be started, or say why not.
        yield
        return
    _active.append(guard)
    try:
        yield
    finally:
        _active.remove(guard)
        guard.close()


def watch(pid: int) -> None:
    """Note that a program runs. On Linux and macOS it leads a process group."""
    _tell("watch", pid)


def forget(pid: int) -> None:
    """Note that a program has ended."""
    _tell("forget", pid)


@contextlib.contextmanager
def throw_away(directory: Path) -> Iterator[None]:
    """Note that a directory is worth nothing once this process is gone; who made it removes it at the end."""
    _tell("discard", str(directory))
    try:
        yield
    finally:
        _tell("removed", str(directory))


def _tell(what: str, value: int | str) -> None:
    for guard in _active:
        guard.tell(what, value)
