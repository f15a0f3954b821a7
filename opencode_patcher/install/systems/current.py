"""Which operating system this process runs on."""

from __future__ import annotations

import sys

from opencode_patcher.install.systems.macos import MacOS
from opencode_patcher.install.systems.posix import Posix
from opencode_patcher.install.systems.protocol import System
from opencode_patcher.install.systems.windows import Windows


def current_system() -> System:
    """The operating system that this process runs on."""
    if sys.platform == "win32":
        return Windows()
    if sys.platform == "darwin":
        return MacOS()
    return Posix()
