"""What ``patches edit``, ``rebase`` and ``refresh`` do: open or continue a work tree, and write the patch files."""

from __future__ import annotations

from opencode_patcher.base import resources
from opencode_patcher.base.errors import PatchError, UsageError
from opencode_patcher.base.line import LINES, OPENCODE_1, Line
from opencode_patcher.base.mutex import one_at_a_time
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.patchset import series
from opencode_patcher.patchset.series import Patch
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


def find_patch(name: str, line: Line) -> Patch:
    """A patch of a line. Raises PatchError, which names the other line when that has it."""
    try:
        return series.load(resources.patches(line)).find(name)
    except PatchError as error:
        for other in LINES:
            if other is not line and name in [path.stem for path in resources.patches(other).glob("*.patch")]:
                raise PatchError(
                    error.what, why=f"It is a patch of {other.name}.", next_step=f"Add: --line {other.major}"
                ) from error
        raise


def begin(
    store: Store, address: str, reporter: Reporter, *, line: Line, name: str = "", ref: str | None = None
) -> Workbench:
    """Open a work tree of the release ``ref`` of a line, by default the locked one, and commit the patches up to
    ``name``, by default all of them.

    Raises what ``workbench.start`` raises, PatchError for an unknown patch, and SourceError for an unknown release.
    """
    patches = series.load(resources.patches(line))
    if name:
        find_patch(name, line)
    locked = lock.current(store, line)
    release = releases.find(releases.list_releases(address, line), ref, line) if ref else locked.release
    lock.check(release, locked)
    with one_at_a_time(store, reporter):
        return workbench.start(store, address, locked.release, release, patches, reporter, stop_at=name)


def proceed(store: Store, reporter: Reporter) -> Workbench:
    """Commit the changes in the open work tree, and continue. Raises what ``workbench.resume`` raises."""
    with one_at_a_time(store, reporter):
        bench = workbench.require(store)
        return workbench.resume(bench, series.load(resources.patches(bench.state.line)), reporter)


def give_up(store: Store, reporter: Reporter) -> None:
    """Remove the open work tree. Raises UsageError when there is none."""
    with one_at_a_time(store, reporter):
        workbench.abort(store, workbench.require(store))


def refresh(
    store: Store, address: str, reporter: Reporter, *, line: Line | None = None, dry_run: bool = False
) -> tuple[str, ...]:
    """Write the patch files: from the open work tree, which is then removed, or else against the locked release of
    ``line`` (the first one without). Returns the names of the patches that have changed, or would with ``dry_run``.

    Raises UsageError when the work tree is one of another line, and what ``writeback`` raises.
    """
    with one_at_a_time(store, reporter):
        bench = workbench.find(store)
        if bench and line not in (None, bench.state.line):
            raise UsageError(
                f"The open work tree is one of {bench.state.line.name}, for {bench.state.release.tag}.",
                why=f"It is {bench.path}.",
                next_step=f"Write its patches first: opencode-patcher patches refresh\nOr give up: {workbench.ABORT}",
            )
        chosen = bench.state.line if bench else line or OPENCODE_1
        directory = resources.patches(chosen)
        patches = series.load(directory)
        if bench:
            texts = writeback.from_commits(bench, patches)
        else:
            release = lock.current(store, chosen).release
            with opened(store, address) as upstream:
                upstream.fetch([release], reporter)
                texts = writeback.from_release(upstream.snapshot(release), release, patches)
        if dry_run:
            return writeback.changed(patches, texts)
        names = writeback.write(directory, patches, texts)
        if bench:
            workbench.abort(store, bench)
        return names
