"""Temporary directories below TMPDIR: private, and removed at the end, even if this process is killed.

Nothing can be removed during a power cut. So each such directory has a lock file that is held while its process lives,
and whoever makes the next one removes those whose lock is free.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from opencode_patcher.base.guard import guarding, throw_away

PREFIX = "opencode-patcher-"
IN_USE = ".in-use"
"""The name of the lock file in each directory."""

YOUNG_SECONDS = 60.0
"""A younger directory may not have its lock file yet."""


@contextmanager
def directory(purpose: str) -> Iterator[Path]:
    """A new, empty directory, for this user only. ``purpose`` becomes part of its name.

    Raises OSError when it cannot be made.
    """
    from filelock import FileLock

    _sweep(Path(tempfile.gettempdir()))
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-"))
    lock = FileLock(path / IN_USE)
    inside = path / "it"
    with guarding(), throw_away(path):
        try:
            lock.acquire(timeout=0)
            inside.mkdir(0o700)
            yield inside
        finally:
            lock.release()
            shutil.rmtree(path, ignore_errors=True)


def _sweep(temporary: Path) -> None:
    with suppress(OSError):
        for path in list(temporary.glob(f"{PREFIX}*-*")):
            with suppress(OSError):
                if _is_ours(path) and _is_abandoned(path):
                    shutil.rmtree(path, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    """Whether it is this user's directory and not a link: anybody can create files in TMPDIR."""
    found = path.lstat()
    mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return stat.S_ISDIR(found.st_mode) and mine and time.time() - found.st_mtime > YOUNG_SECONDS


def _is_abandoned(path: Path) -> bool:
    from filelock import FileLock, Timeout

    try:
        FileLock(path / IN_USE).acquire(timeout=0).lock.release()
    except (Timeout, NotImplementedError):
        return False
    return True
