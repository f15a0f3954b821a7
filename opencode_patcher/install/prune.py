"""``prune``: delete builds that nobody will miss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher import builds, presence
from opencode_patcher import store as storage
from opencode_patcher.install import activate
from opencode_patcher.install import state as states
from opencode_patcher.install.state import Activation
from opencode_patcher.install.system import System
from opencode_patcher.progress import Reporter
from opencode_patcher.store import Store

DEFAULT_KEEP = 1


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """The names of the deleted builds, and the space they took in bytes."""

    names: tuple[str, ...]
    size: int


def prune(
    store: Store, system: System, reporter: Reporter, *, keep: int = DEFAULT_KEEP, dry_run: bool = False
) -> Pruned:
    """Delete all builds but those that ``kept`` names; ``dry_run`` only says which. Raises StoreError."""

    def waiting() -> None:
        reporter.note("Another run of opencode-patcher is at work; waiting for it to end.")

    with store.lock("build", on_wait=waiting), store.lock(states.LOCK, on_wait=waiting):
        seen = activate.look(store, system)
        history = states.with_active(seen.state.history, seen.occupant.build)
        stored = [build.directory.name for build in builds.list_builds(store)]
        staying = kept(stored, history, keep)
        taken = [path.name for path in store.installed.glob("*") if presence.is_dir(path)]
        names = sorted({*stored, *taken} - staying)
        directories = [path for name in names for path in (store.builds / name, store.installed / name)]
        size = _size(directories)
        if not dry_run:
            for directory in directories:
                if presence.is_dir(directory):
                    storage.remove_directory(directory)
        return Pruned(names=tuple(names), size=size)


def kept(stored: Sequence[str], history: Sequence[Activation], keep: int) -> set[str]:
    """The builds that stay: the active one (the last of ``history``), ``keep`` to roll back to, and the newest stored.

    ``stored`` are the names of the builds, the newest first.
    """
    active_first = list(dict.fromkeys(entry.build for entry in reversed(history)))
    return {*active_first[: keep + 1], *stored[:1]}


def _size(directories: Sequence[Path]) -> int:
    """Bytes on disk, a file with two names counted once."""
    files = [path.stat() for directory in directories for path in directory.rglob("*") if presence.is_file(path)]
    return sum({(file.st_dev, file.st_ino): file.st_size for file in files}.values())
