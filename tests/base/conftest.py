"""Fixtures of the room: small Python programs to run as processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Program = Callable[[str], list[str]]
"""Makes a command line from the text of a Python program."""


@pytest.fixture
def python() -> Program:
    return lambda text: [sys.executable, "-c", text]


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    """Asks again and again, for a long time at most, until something is so."""

    def ask(question: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if question():
                return True
            time.sleep(0.02)
        return False

    return ask


@pytest.fixture
def all_gone(eventually: Callable[[Callable[[], bool]], bool]) -> Callable[[list[int]], bool]:
    """Whether processes have ended. The end of one that was killed by force comes a moment after the signal."""
    return lambda pids: eventually(lambda: not any(is_running(pid) for pid in pids))


def is_running(pid: int) -> bool:
    """Whether a process is running. A zombie is not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    return state not in "ZX"
