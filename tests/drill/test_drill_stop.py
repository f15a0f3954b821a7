from __future__ import annotations

import sys
import threading

from opencode_patcher.base import process

SLEEPER = [sys.executable, "-c", "print('ready', flush=True); import time; time.sleep(60)"]


def test_another_thread_can_end_a_program() -> None:
    stop = threading.Event()
    done = process.converse(SLEEPER, timeout=50, stop=stop, on_line=lambda *_: stop.set())
    assert done.stdout == "ready\n"
    assert done.code != 0


def test_a_program_that_nobody_stops_ends_by_itself() -> None:
    assert process.converse([sys.executable, "-c", "print(1)"], stop=threading.Event()).stdout == "1\n"
