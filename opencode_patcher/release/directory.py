"""The directory of a release: whether it may be replaced, and whether there is enough disk space."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import ReleaseError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.release import manifest, sums

ARCHIVE_BYTES = 65_000_000
"""An archive is at most about this large: 45 to 60 MB at v1.18.3."""
BINARY_BYTES = 150_000_000
"""A binary: 100 to 147 MB at v1.18.3."""
RUNTIME_BYTES = 100_000_000
"""One of bun's runtimes: 63 to 98 MB at bun 1.3.14."""
BINARIES_AT_ONCE = 4
"""A binary is deleted once it is in its archive; this many may be waiting."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """Bytes that a release needs where the store is, and where it is written."""

    store: int
    out: int


def room_for(targets: int, absent_runtimes: int) -> Room:
    """The room for a release of that many targets when that many runtimes have to be fetched."""
    return Room(
        store=min(targets, BINARIES_AT_ONCE) * BINARY_BYTES + absent_runtimes * RUNTIME_BYTES,
        out=targets * ARCHIVE_BYTES,
    )


def require_room(needed: Room, store: Path, out: Path, reporter: Reporter) -> None:
    """Report how much room is needed. Raises ReleaseError when there is less in either place, or on a disk they
    share."""
    reporter.note(f"This needs about {(needed.store + needed.out) / 1e9:.1f} GB of disk space.")
    beside = _existing(out)
    same = store.stat().st_dev == beside.stat().st_dev
    places = [(store, needed.store + needed.out)] if same else [(store, needed.store), (beside, needed.out)]
    for place, wanted in places:
        free = shutil.disk_usage(place).free
        if free < wanted:
            raise ReleaseError(
                "There is not enough disk space for this release.",
                why=f"It needs about {wanted / 1e9:.1f} GB at {place}; {free / 1e9:.1f} GB are free.",
                next_step="Free some space, or release fewer targets at a time: --target NAME",
            )


def require_usable(out: Path) -> None:
    """Raises ReleaseError when ``out`` cannot be written, or has anything in it but an older release of this tool."""
    problem, next_step = _problem(out), "Name another directory with --out."
    if os.path.ismount(out):
        problem, next_step = (
            "It is a mount point, which cannot be replaced.",
            f"Name a directory in it: --out {out / 'release'}",
        )
    if problem:
        raise ReleaseError(f"The release cannot be written to {out}.", why=problem, next_step=next_step)


def _problem(out: Path) -> str:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        return "It exists and is not a directory."
    beside = _existing(out.parent)
    if not beside.is_dir() or not os.access(beside, os.W_OK | os.X_OK):
        return f"Nothing can be written in {beside}."
    if not out.exists():
        return ""
    try:
        foreign = _foreign(out)
    except (OSError, UnicodeDecodeError, ReleaseError) as error:
        return f"Its contents cannot be read: {error}"
    return f"It contains files that are not part of a release: {', '.join(foreign[:5])}" if foreign else ""


def _foreign(out: Path) -> list[str]:
    """Names in a directory that are not part of a release of ours."""
    there = sorted(path.name for path in out.iterdir())
    about, listed = out / manifest.FILE_NAME, out / sums.FILE_NAME
    if not (about.is_file() and listed.is_file() and manifest.is_ours(files.read_text(about))):
        return there
    known = {sums.FILE_NAME, *sums.parse(files.read_text(listed))}
    return [name for name in there if name not in known]


def _existing(path: Path) -> Path:
    """The path itself, or the nearest existing directory above it."""
    return next(place for place in (path, *path.parents) if place.exists())
