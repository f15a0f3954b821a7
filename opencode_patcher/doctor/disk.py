"""Whether there is enough disk space for what still has to be made, and whether programs can be run there."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.store import HOME_VARIABLE
from opencode_patcher.doctor.finding import Finding

TREE_BYTES = 1_300_000_000
"""A release's tree with its dependencies and the build in it (v1.18.3, Linux on x64: 1.2 GiB measured)."""

BUILD_BYTES = 300_000_000
"""A binary: the build's output, and a copy in the store."""


def needed_bytes(*, tree_ready: bool, built: bool) -> int:
    """How much space the locked release still needs: nothing once it is built."""
    if built:
        return 0
    return BUILD_BYTES + (0 if tree_ready else TREE_BYTES)


def check_access(place: Path) -> Finding | None:
    """Warns when others can write to a directory whose programs are run or whose files control what is done: the store,
    the bin directory, OpenCode's own.
    """
    try:
        found = place.stat()
    except OSError:
        return None
    if sys.platform == "win32":
        return None
    if found.st_uid not in (os.getuid(), 0):
        text = f"{place} belongs to another user, who could change the programs and files there."
        return Finding(check="permissions", level="warning", text=text, fix="Use a directory of your own.")
    if not found.st_mode & 0o022:
        return None
    text = f"Other users can write in {place}, and could change the programs and files there."
    return Finding(check="permissions", level="warning", text=text, fix=f"chmod go-w {shlex.quote(str(place))}")


def check_own_file(path: Path) -> Finding | None:
    """Warns when a file that combined models keep for this user belongs to somebody else or is open to others. OpenCode
    does not use a file of somebody else (templates/host/private-file.ts).
    """
    try:
        found = path.lstat()
    except OSError:
        return None
    if sys.platform == "win32":
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
        what = "belongs to another user" if stat.S_ISREG(found.st_mode) else "is not a regular file"
        text = f"{path} {what}, so OpenCode does not use it."
        return Finding(check="permissions", level="warning", text=text, fix=f"rm {shlex.quote(str(path))}")
    if not found.st_mode & 0o077:
        return None
    text = f"Other users can read or write {path}."
    return Finding(check="permissions", level="warning", text=text, fix=f"chmod go-rwx {shlex.quote(str(path))}")


def check_place(root: Path, temporary: Path) -> Iterator[Finding]:
    """Problems with the place of the store and of temporary files: another owner, or a mount that runs no programs."""
    owner = files.owner_of(root)
    others = sorted({found for path in (root, *_parts(root)) if (found := files.owner_of(path))})
    if others:
        whose = "The store" if owner else "Part of the store"
        writable = all(os.access(path, os.W_OK) for path in (root, *_parts(root)))
        yield Finding(
            check="owner",
            level="warning" if writable else "blocks",
            text=f"{whose} at {root} belongs to {', '.join(others)}, who can change what is built there."
            + ("" if writable else " You cannot write to it."),
            fix=f"Make it yours: chown -R {_me()} {shlex.quote(str(root))}",
        )
    if not files.runs_programs(root):
        yield Finding(
            check="programs",
            level="blocks",
            text=f"Programs cannot be run from {root}: its file system is mounted with noexec.",
            fix=f"Name a directory on another file system in {HOME_VARIABLE}, or mount this one with exec.",
        )
    if not files.runs_programs(temporary):
        yield Finding(
            check="programs",
            level="warning",
            text=f"Programs cannot be run from {temporary} (noexec); OpenCode loads libraries from there.",
            fix="Name another directory in TMPDIR.",
        )


def _parts(root: Path) -> tuple[Path, ...]:
    """The store's directories, and one level below, where the repositories lie."""
    try:
        return tuple(path for pattern in ("*", "sources/*") for path in root.glob(pattern) if path.is_dir())
    except OSError:
        return ()


def _me() -> str:
    return str(os.getuid()) if sys.platform != "win32" else "USER"


def check_disk(root: Path, needed: int) -> Finding:
    """Whether the disk on which ``root`` is, or will be, has ``needed`` bytes."""
    check = "disk"
    place = next((path for path in (root, *root.parents) if files.is_dir(path)), None)
    try:
        free = shutil.disk_usage(place).free if place else None
    except OSError as error:
        return Finding(check=check, level="unknown", text=f"The free space for {root} is unknown: {error.strerror}.")
    if free is None:
        return Finding(check=check, level="unknown", text=f"The free space for {root} is unknown: no such disk.")
    text = f"{free / 1e9:.1f} GB free for {root}"
    if free < needed:
        fix = "Free some space (opencode-patcher prune), or name another disk in OPENCODE_PATCHER_HOME."
        return Finding(check=check, level="blocks", text=f"{text}; a build takes {needed / 1e9:.1f} GB.", fix=fix)
    return Finding(
        check=check, level="good", text=f"{text}; a build takes {needed / 1e9:.1f} GB." if needed else text + "."
    )
