"""``prune``: delete builds that are no longer needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.install import activate, builds
from opencode_patcher.install import state as states
from opencode_patcher.install.builds import Build
from opencode_patcher.install.state import Activation
from opencode_patcher.install.systems.protocol import System

DEFAULT_KEEP = 1


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """The names of the deleted builds, and the space they took in bytes."""

    names: tuple[str, ...]
    size: int


def prune(
    store: Store, system: System, reporter: Reporter, *, keep: int = DEFAULT_KEEP, dry_run: bool = False
) -> Pruned:
    """Delete all builds except those in ``kept`` and those active under other names; ``dry_run`` only says which.

    Raises StoreError.
    """

    def waiting() -> None:
        reporter.note("Another run of opencode-patcher is in progress; waiting for it to finish.")

    with store.mutex("build", on_wait=waiting), store.mutex(states.LOCK, on_wait=waiting):
        seen = activate.look(store, system)
        stored = builds.list_builds(store)
        taken = [path.name for path in store.installed.glob("*") if files.is_dir(path)]
        names = {build.directory.name for build in stored}
        # A newer version may be able to use what this one cannot read.
        unread = {name for name in taken if name not in names and files.exists(store.builds / name / builds.MANIFEST)}
        there = {*names, *taken} - unread
        # Builds that were deleted earlier cannot be rolled back to.
        history = [
            entry for entry in states.with_active(seen.state.history, seen.occupant.build) if entry.build in there
        ]
        elsewhere = states.active_elsewhere(store, system.program)
        leaving = sorted(there - kept(stored, history, keep) - elsewhere)
        directories = [path for name in leaving for path in (store.builds / name, store.installed / name)]
        size = _size(directories)
        if not dry_run:
            for directory in directories:
                if files.is_dir(directory):
                    files.remove_directory(directory)
        return Pruned(names=tuple(leaving), size=size)


def kept(stored: Sequence[Build], history: Sequence[Activation], keep: int) -> set[str]:
    """The names of the builds to keep: the active one (the last of ``history``), the newest, the newest trusted one,
    and ``keep`` others.

    Those are builds that a rollback would restore, then trusted ones that were never active, then the rest, each newest
    first. ``stored`` are the builds, newest first.
    """
    names = [build.directory.name for build in stored]
    trusted = [build.directory.name for build in stored if build.trusted]
    active_first = list(dict.fromkeys(entry.build for entry in reversed(history)))
    staying = {*active_first[:1], *names[:1], *trusted[:1]}
    others = [name for name in dict.fromkeys([*active_first, *trusted, *names]) if name not in staying]
    return staying | set(others[:keep])


def _size(directories: Sequence[Path]) -> int:
    """Bytes on disk; a file with two names counts once."""
    found = [path.stat() for directory in directories for path in directory.rglob("*") if files.is_file(path)]
    return sum({(file.st_dev, file.st_ino): file.st_size for file in found}.values())
