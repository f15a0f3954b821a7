"""How much memory a child process of this one takes."""

from __future__ import annotations

import os
from pathlib import Path


def resident(binary: Path) -> float:
    """The resident memory in MB of the child process that runs ``binary``; 0 without /proc."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text(encoding="utf-8")
            child = int(text.split("PPid:")[1].split()[0]) == os.getpid()
            if child and status.with_name("exe").resolve() == binary.resolve():
                return int(text.split("VmRSS:")[1].split()[0]) / 1024
        except (OSError, LookupError, ValueError):
            continue
    return 0.0
