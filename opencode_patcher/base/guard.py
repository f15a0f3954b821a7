"""Ends the programs this tool has started, and removes its temporary directories, when the tool itself is killed.

SIGKILL cannot be caught. So a small separate program waits on a pipe that closes when this process ends, however it
ends, and then ends the programs that are still running, with their children. That works wherever there are pipes.
Linux's parent-death signal would reach the program but not its children, and is sent as soon as the *thread* that
started it ends.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from opencode_patcher.base.environment import neutral_directory

_GUARD = """
import os, sys

programs, directories = set(), set()
notes = {
    "watch": programs.add,
    "forget": programs.discard,
    "discard": directories.add,
    "removed": directories.discard,
}
for line in sys.stdin:
    what, value = line.split()
    notes[what](value)
if not programs and not directories:
    sys.exit()

import shutil, signal, subprocess, time

def tell(number):
    for program in list(programs):
        try:
            if os.name == "nt":
                subprocess.run(["taskkill", "/T", "/F", "/PID", program], capture_output=True)
                programs.discard(program)
            else:
                os.killpg(int(program), number)
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
    shutil.rmtree(os.fsdecode(bytes.fromhex(directory)), ignore_errors=True)
"""


class _Guard:
    """Starts with the first program or directory to watch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._program: subprocess.Popen[bytes] | None = None

    def tell(self, what: str, value: str) -> None:
        # Without a guard, only the cleanup after SIGKILL is missing.
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self._program is None:
                self._program = self._start()
            assert self._program.stdin is not None
            self._program.stdin.write(f"{what} {value}\n".encode())
            self._program.stdin.flush()

    def close(self) -> None:
        if self._program is None:
            return
        assert self._program.stdin is not None
        with contextlib.suppress(OSError):
            self._program.stdin.close()
        self._program.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        # Isolated, so that nothing in the current directory can change what runs.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=neutral_directory(),
            # Ctrl-C is for us.
            start_new_session=sys.platform != "win32",
        )


_active: list[_Guard] = []


@contextlib.contextmanager
def guarding() -> Iterator[None]:
    """Until the block ends, no program that is started outlives this process. A nested block adds nothing."""
    if _active:
        yield
        return
    guard = _Guard()
    _active.append(guard)
    try:
        yield
    finally:
        _active.remove(guard)
        guard.close()


def watch(pid: int) -> None:
    """Note that a program is running. On Linux and macOS it leads a process group."""
    _tell("watch", str(pid))


def forget(pid: int) -> None:
    """Note that a program has ended."""
    _tell("forget", str(pid))


@contextlib.contextmanager
def throw_away(directory: Path) -> Iterator[None]:
    """Note that a directory may be deleted once this process is gone. Whoever made it removes it at the end."""
    name = os.fsencode(directory.absolute()).hex()
    _tell("discard", name)
    try:
        yield
    finally:
        _tell("removed", name)


def _tell(what: str, value: str) -> None:
    for guard in _active:
        guard.tell(what, value)
