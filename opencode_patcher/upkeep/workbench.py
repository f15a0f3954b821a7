"""The work tree in which patches are fixed: upstream's release, with one commit per patch on top.

A patch that fits is committed as it is. The first one that does not fit stops the run with a conflict; the user
resolves it like any other and continues.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from opencode_patcher.base import files, git
from opencode_patcher.base.errors import PatchError, UsageError
from opencode_patcher.base.line import OPENCODE_1, of_version
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.patchset import hints, moved_files
from opencode_patcher.patchset.compose import FileOutcome, outcomes, walk
from opencode_patcher.patchset.misfit import explain
from opencode_patcher.patchset.series import Patch, Series
from opencode_patcher.patchset.values import values_for
from opencode_patcher.upkeep import conflict, rebase_state
from opencode_patcher.upkeep.conflict import Sides
from opencode_patcher.upkeep.rebase_state import RebaseState
from opencode_patcher.upstream import workspace, worktree
from opencode_patcher.upstream.repository import Repository, opened, opened_at

DIRECTORY = "maintain"
"""Where the store keeps the work trees of the patches, apart from those that are built."""

TRAILER = "Patch"
"""The line of a commit's message that says which patch it is."""

IDENTITY = (
    "-c",
    "user.name=opencode-patcher",
    "-c",
    "user.email=opencode-patcher@localhost",
    "-c",
    "commit.gpgSign=no",
)
"""The commits are drafts of patch files, so their author does not matter."""

CONTINUE = "opencode-patcher patches rebase --continue"
ABORT = "opencode-patcher patches rebase --abort"
FIXUP = "Commit them into the patch that they belong to: git commit --fixup, then git rebase -i --autosquash"


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """A work tree of the patches, and its progress."""

    path: Path
    git_dir: Path
    repository: Path
    state: RebaseState


def find(store: Store) -> Workbench | None:
    """The open work tree, if there is one."""
    for link in sorted((store.root / DIRECTORY / "trees").glob("*/v*/.git")):
        git_dir = Path(files.read_text(link).removeprefix("gitdir: ").strip())
        found = rebase_state.read(git_dir)
        if found is not None:
            return Workbench(path=link.parent, git_dir=git_dir, repository=git_dir.parent.parent, state=found)
    return None


def require(store: Store) -> Workbench:
    """The open work tree. Raises UsageError when there is none."""
    found = find(store)
    if found is None:
        raise UsageError(
            "No work tree for the patches is open.",
            next_step="Open one: opencode-patcher patches edit, or: opencode-patcher patches rebase REF",
        )
    return found


def start(
    store: Store,
    address: str,
    base: Release,
    release: Release,
    patches: Series,
    reporter: Reporter,
    *,
    stop_at: str = "",
) -> Workbench:
    """Make the work tree of ``release`` and commit the patches, which fit ``base`` as written.

    With ``stop_at`` it ends after the commit of that patch, to be edited. The caller holds the build mutex.

    Raises UsageError when a work tree is open already, PatchError at the first patch that does not fit.
    """
    if (running := find(store)) is not None:
        raise UsageError(
            f"A work tree for the patches is already open, for {running.state.release.tag}.",
            why=f"It is {running.path}.",
            next_step=f"Continue: {CONTINUE}\nOr give up: {ABORT}",
        )
    apart = replace(store, root=store.root / DIRECTORY)
    with opened(store, address) as repository:
        repository.fetch((base, release), reporter)
        line = (of_version(release.version) or OPENCODE_1).at(release.version)
        slim = workspace.closure(repository.snapshot(release).package_texts(), line)
        made = worktree.checkout(apart, repository, release, slim, reporter)
        bench = Workbench(
            path=made.path,
            git_dir=made.git_dir,
            repository=repository.path,
            state=RebaseState(
                release=release,
                base=base,
                queue=tuple(patch.name for patch in patches.patches),
                moved=_moved(repository, base, release, patches, reporter),
            ),
        )
    rebase_state.write(bench.git_dir, bench.state)
    return advance(bench, patches, reporter, stop_at=stop_at)


def resume(bench: Workbench, patches: Series, reporter: Reporter) -> Workbench:
    """Commit the user's changes to the current patch, and continue with the next.

    Raises UsageError while a conflict is unresolved, PatchError at the next patch that does not fit.
    """
    if open_paths := conflict.unresolved(bench.path):
        raise UsageError(
            f"The conflict of the patch '{bench.state.current}' is not resolved.",
            why="\n".join(["These files still have conflict markers:", *(f"  {path}" for path in open_paths)]),
            next_step=f"Resolve them in {bench.path}, then: {CONTINUE}",
        )
    if bench.state.current:
        git.in_tree(bench.path, "add", "--update")
        _commit(bench.path, patches.find(bench.state.current), amend=bench.state.editing)
    elif git.in_tree(bench.path, "status", "--porcelain", "--untracked-files=no").stdout:
        raise UsageError(
            f"There are changes in {bench.path} that do not belong to any patch.",
            next_step=FIXUP,
        )
    bench = replace(bench, state=replace(bench.state, current="", editing=False))
    rebase_state.write(bench.git_dir, bench.state)
    return advance(bench, patches, reporter)


def abort(store: Store, bench: Workbench) -> None:
    """Remove the work tree. The patch files were not touched."""
    git.run(f"--git-dir={bench.repository}", "worktree", "remove", "--force", "--force", bench.path)
    files.remove_directory(store.root / DIRECTORY)


def advance(bench: Workbench, patches: Series, reporter: Reporter, *, stop_at: str = "") -> Workbench:
    """Commit the patches of the queue until it is empty, ``stop_at`` has its commit, or one does not fit."""
    series = patches.following(bench.state.moved)
    values = values_for(bench.state.line, bench.state.release)
    while bench.state.queue:
        patch = series.find(bench.state.queue[0])
        bench = replace(bench, state=replace(bench.state, queue=bench.state.queue[1:]))
        found = outcomes(patch, values, _disk(bench.path), version=bench.state.release.version)
        if not all(_fits(item) for item in found):
            bench = _stop(bench, patch.name, editing=False)
            raise _conflict(bench, patch, found, _sides(bench, series, patch, found))
        for item in found:
            if item.path is not None and item.placed is not None:
                files.write_bytes(bench.path / item.path, item.placed.text.encode("utf-8"))
                git.in_tree(bench.path, "add", "--", item.path)
        _commit(bench.path, patch)
        rebase_state.write(bench.git_dir, bench.state)
        reporter.note(f"{patch.name}: applied")
        if patch.name == stop_at:
            return _stop(bench, patch.name, editing=True)
    return bench


def commits(bench: Workbench) -> dict[str, str]:
    """The commit of each patch by its name, in the order of the commits.

    Raises PatchError for a commit that does not belong to a patch, and for two of the same patch.
    """
    listed = git.in_tree(
        bench.path,
        *("log", "--reverse", f"--format=%H%x00%s%x00%(trailers:key={TRAILER},valueonly,separator=%x2C)"),
        f"{bench.state.release.commit}..HEAD",
    ).stdout
    found: dict[str, str] = {}
    for line in listed.splitlines():
        commit, subject, name = line.split("\0")
        if not name or name in found:
            raise PatchError(
                f"The commit {commit[:12]} ({subject}) is not the only commit of a patch.",
                why=f"'{name}' already has another one." if name else f"Its message has no line '{TRAILER}: NAME'.",
                next_step=f"Squash it into the patch that it belongs to: git -C {bench.path} rebase -i",
            )
        found[name] = commit
    return found


def _moved(
    repository: Repository, base: Release, release: Release, patches: Series, reporter: Reporter
) -> dict[str, str]:
    has = repository.snapshot(release).has
    gone = moved_files.gone(patches, release, has)
    steps = moved_files.departures(patches, gone, repository, base, release, reporter)
    for walked in steps.values():
        for step in walked:
            reporter.note(f"{step}.")
    return moved_files.final_places(steps, has)


def _stop(bench: Workbench, name: str, *, editing: bool) -> Workbench:
    stopped = replace(bench, state=replace(bench.state, current=name, editing=editing))
    rebase_state.write(stopped.git_dir, stopped.state)
    return stopped


def _fits(item: FileOutcome) -> bool:
    return item.excused or (item.placed is not None and not item.placed.misfits)


def _sides(bench: Workbench, series: Series, patch: Patch, found: tuple[FileOutcome, ...]) -> list[Sides]:
    """The three versions of each file of a patch that does not fit; the base ones are from the older release."""
    written = _as_written(bench, series, patch)
    sides = []
    for item in found:
        before = written.get(item.target.path)
        if _fits(item) or before is None or before.placed is None:
            continue
        sides.append(
            Sides(
                path=item.path or item.target.path,
                base=before.before,
                ours=item.before if item.path is not None else None,
                theirs=before.placed.text,
            )
        )
    return sides


def _as_written(bench: Workbench, series: Series, patch: Patch) -> Mapping[str, FileOutcome]:
    """The files of the release that the patch fits, with it and the previous patches applied; by target."""
    values = values_for(bench.state.line, bench.state.base)
    with opened_at(bench.repository) as repository:
        snapshot = repository.snapshot(bench.state.base)
        snapshot.prefetch(series.places())
        for earlier, made in walk(series, values, snapshot.read, version=bench.state.base.version):
            if earlier.name == patch.name:
                return {item.target.path: item for item in made}
    return {}


def _conflict(bench: Workbench, patch: Patch, found: tuple[FileOutcome, ...], sides: list[Sides]) -> PatchError:
    """Write the conflict and the files that fit into the tree, and return the error that explains it."""
    said: list[str] = []
    for item in found:
        if item.placed is not None and item.path is not None and _fits(item):
            files.write_bytes(bench.path / item.path, item.placed.text.encode("utf-8"))
            git.in_tree(bench.path, "add", "--", item.path)
        elif item.placed is not None:
            said += [f"{explain(misfit, item.before).what} Cause: {misfit.reason}." for misfit in item.placed.misfits]
        elif not item.excused:
            said.append(f"{item.target.path} is not in {bench.state.release.tag}.")
    for side in sides:
        if conflict.put(bench.path, side, release=bench.state.release.tag, patch=patch.name):
            said.append(f"git merged {side.path} without a conflict. Check it before you continue.")
    return PatchError(
        f"The patch '{patch.name}' does not fit {bench.state.release.tag}.",
        why="\n".join([*said, f"The conflict is in {bench.path}; git status and git diff show it."]),
        next_step=f"Resolve it there, then: {CONTINUE}\nTo give up: {ABORT}\n{hints.show_patch(patch.name)}",
    )


def _commit(tree: Path, patch: Patch, *, amend: bool = False) -> None:
    message = f"{patch.name}: {patch.header.subject}\n\n{patch.header.why}\n\n{TRAILER}: {patch.name}\n"
    flags = ("--amend",) if amend else ()
    git.in_tree(tree, *IDENTITY, "commit", "--quiet", "--allow-empty", "--no-verify", *flags, "--file=-", stdin=message)


def _disk(tree: Path) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        place = tree / path
        return place.read_bytes() if place.is_file() and not place.is_symlink() else None

    return read
