"""What ``patches edit``, ``rebase`` and ``refresh`` do: open or continue a work tree, and write the patch files."""

from __future__ import annotations

from pathlib import Path

from opencode_patcher.base import resources
from opencode_patcher.base.errors import UsageError
from opencode_patcher.base.mutex import one_at_a_time
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.patchset import series
from opencode_patcher.upkeep import workbench, writeback
from opencode_patcher.upkeep.workbench import Workbench
from opencode_patcher.upstream import lock, releases
from opencode_patcher.upstream.repository import opened


def require_own_patches() -> None:
    """Raises UsageError when the patches belong to an installed package."""
    if not resources.is_checkout():
        raise UsageError(
            "The patches of an installed opencode-patcher cannot be changed.",
            why=f"They are in {resources.patches()}.",
            next_step="Get a checkout of the project, run `make build` there, and change its patches/.",
        )


def begin(store: Store, address: str, reporter: Reporter, *, name: str = "", ref: str | None = None) -> Workbench:
    """Open a work tree of the release ``ref``, by default the locked one, and commit the patches up to ``name``, by
    default all of them.

    Raises what ``workbench.start`` raises, PatchError for an unknown patch, and SourceError for an unknown release.
    """
    patches = series.load(resources.patches())
    if name:
        patches.find(name)
    locked = lock.current(store)
    release = releases.find(releases.list_releases(address), ref) if ref else locked.release
    lock.check(release, locked)
    with one_at_a_time(store, reporter):
        return workbench.start(store, address, locked.release, release, patches, reporter, stop_at=name)


def proceed(store: Store, reporter: Reporter) -> Workbench:
    """Commit the changes in the open work tree, and continue. Raises what ``workbench.resume`` raises."""
    patches = series.load(resources.patches())
    with one_at_a_time(store, reporter):
        return workbench.resume(workbench.require(store), patches, reporter)


def give_up(store: Store, reporter: Reporter) -> None:
    """Remove the open work tree. Raises UsageError when there is none."""
    with one_at_a_time(store, reporter):
        workbench.abort(store, workbench.require(store))


def refresh(
    store: Store, address: str, directory: Path, reporter: Reporter, *, dry_run: bool = False
) -> tuple[str, ...]:
    """Write the patch files in ``directory``: from the open work tree, which is then removed, or else against the
    locked release. Returns the names of the patches that have changed, or would with ``dry_run``.

    Raises what ``writeback`` raises.
    """
    patches = series.load(directory)
    with one_at_a_time(store, reporter):
        bench = workbench.find(store)
        if bench:
            texts = writeback.from_commits(bench, patches)
        else:
            release = lock.current(store).release
            with opened(store, address) as upstream:
                upstream.fetch([release], reporter)
                texts = writeback.from_release(upstream.snapshot(release), release, patches)
        if dry_run:
            return writeback.changed(patches, texts)
        names = writeback.write(directory, patches, texts)
        if bench:
            workbench.abort(store, bench)
        return names
