"""Which operating system this process runs on."""

from __future__ import annotations

import sys

from opencode_patcher.install.state import DEFAULT
from opencode_patcher.install.systems.macos import MacOS
from opencode_patcher.install.systems.posix import Posix
from opencode_patcher.install.systems.protocol import System
from opencode_patcher.install.systems.windows import Windows


def current_system(name: str = DEFAULT) -> System:
    """The operating system that this process runs on, and the ``name`` under which a program is installed there."""
    if sys.platform == "win32":
        return Windows(program=f"{name}.exe")
    if sys.platform == "darwin":
        return MacOS(name)
    return Posix(name)
