"""What this tool has started ends with it, also when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opencode_patcher.base import process
from opencode_patcher.base.guard import guarding

TOOL = """
import sys
from pathlib import Path
from opencode_patcher.base import process
from opencode_patcher.base.guard import guarding, throw_away

# The program has a child of its own, and neither ends when it is asked to.
program = '''
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print(os.getpid(), child, flush=True)
time.sleep(300)
'''
with guarding(), throw_away(Path(sys.argv[1])):
    process.converse([sys.executable, "-c", program], on_line=lambda _, line: print(line, flush=True))
"""

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="process groups")


def is_running(pid: int) -> bool:
    try:
        # A zombie, which its new parent has not waited for yet, has ended.
        status = Path(f"/proc/{pid}/stat")
        if status.is_file():
            return status.read_text().rpartition(")")[2].split()[0] != "Z"
        os.kill(pid, 0)
    except OSError:
        return False
    return True


@posix_only
def test_a_killed_tool_leaves_no_program_and_no_throw_away_directory(tmp_path: Path) -> None:
    directory = tmp_path / "throw-away"
    (directory / "inside").mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", TOOL, str(directory)], stdout=subprocess.PIPE, text=True) as tool:
        assert tool.stdout
        programs = [int(pid) for pid in tool.stdout.readline().split()]
        assert len(programs) == 2
        assert all(is_running(pid) for pid in programs)
        tool.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while any(is_running(pid) for pid in programs) or directory.exists():
        assert time.monotonic() < deadline, "a program or the directory is left"
        time.sleep(0.05)


def test_a_program_that_has_ended_is_forgotten() -> None:
    with guarding():
        assert process.run([sys.executable, "-c", "print(1)"]).stdout == "1\n"


def test_blocks_may_be_nested() -> None:
    with guarding(), guarding():
        assert process.run([sys.executable, "-c", "print(1)"]).stdout == "1\n"
    assert process.run([sys.executable, "-c", "print(2)"]).stdout == "2\n"
