"""Whether there is enough disk space for what still has to be made."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from pathlib import Path

from opencode_patcher.base import files
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
    """Warns when a file that a combined model keeps for this user is not a file of this user's, or open to others. What
    is not this user's is not used (templates/host/private-file.ts).
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
