"""Writes patch files from commits, or from a release: ``patches refresh``."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from opencode_patcher.base import files, git
from opencode_patcher.base.errors import PatchError, UsageError
from opencode_patcher.base.line import OPENCODE_1, of_version
from opencode_patcher.base.version import Release, Version
from opencode_patcher.patchset.compose import walk
from opencode_patcher.patchset.misfit import explain
from opencode_patcher.patchset.refresh import Edited, refreshed
from opencode_patcher.patchset.series import Patch, Series
from opencode_patcher.patchset.values import values_for
from opencode_patcher.upkeep import workbench
from opencode_patcher.upkeep.workbench import Workbench
from opencode_patcher.upstream.repository import opened_at
from opencode_patcher.upstream.snapshot import Snapshot

REGULAR = (0o100644, 0o100755)
"""git's modes for plain files."""


def from_commits(bench: Workbench, patches: Series) -> dict[str, str]:
    """The text of each patch file according to the work tree's commits, by patch name.

    Raises UsageError while the work tree is not finished, PatchError for a commit that does more than edit the files of
    its patch.
    """
    if bench.state.queue or bench.state.current:
        raise UsageError(
            f"The work tree for {bench.state.release.tag} is not finished.",
            why=f"It is at the patch '{bench.state.current or bench.state.queue[0]}'.",
            next_step=f"Continue: {workbench.CONTINUE}",
        )
    if changed := git.in_tree(bench.path, "status", "--porcelain").stdout:
        raise UsageError(
            f"There are changes in {bench.path} that are not committed.",
            why=changed.rstrip(),
            next_step=workbench.FIXUP,
        )
    found = workbench.commits(bench)
    names = [patch.name for patch in patches.patches]
    if list(found) != names:
        raise PatchError(
            "The commits do not match the series.",
            why=f"The series: {', '.join(names)}\nThe commits: {', '.join(found) or 'none'}",
            next_step="Add or remove patches in patches/, not in the work tree.",
        )
    values = values_for(bench.state.line, bench.state.release)
    commits = [bench.state.release.commit, *found.values()]
    with opened_at(bench.repository) as repository:
        steps = pairwise(map(repository.at, commits))
        return {
            patch.name: refreshed(patch, _edited(step, patch, bench.state.release.version), values)
            for patch, step in zip(patches.following(bench.state.moved).patches, steps, strict=True)
        }


def from_release(snapshot: Snapshot, release: Release, patches: Series) -> dict[str, str]:
    """The text of each patch file after it was placed in ``release`` (``snapshot``) and written back, by patch name.

    Unchanged patches give the same text. Raises MisfitError for a patch that does not fit.
    """
    values = values_for(of_version(release.version) or OPENCODE_1, release)
    made: dict[str, str] = {}
    snapshot.prefetch(patches.places())
    for patch, found in walk(patches, values, snapshot.read, version=release.version):
        files = []
        for item in found:
            if item.path is None or item.placed is None:
                continue
            if item.placed.misfits:
                raise explain(item.placed.misfits[0], item.before)
            files.append(
                Edited(
                    target=item.target,
                    path=item.path,
                    before=item.before,
                    after=item.placed.text,
                    left_out=item.target.left_out(release.version),
                )
            )
        made[patch.name] = refreshed(patch, files, values)
    return made


def changed(patches: Series, texts: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the patches whose text has changed."""
    return tuple(patch.name for patch in patches.patches if texts[patch.name] != patch.text)


def write(directory: Path, patches: Series, texts: Mapping[str, str]) -> tuple[str, ...]:
    """Write the patch files that have changed, and return their names. Raises StoreError."""
    names = changed(patches, texts)
    for name in names:
        files.write_text(directory / patches.find(name).file_name, texts[name])
    return names


def _edited(snapshots: tuple[Snapshot, Snapshot], patch: Patch, version: Version) -> list[Edited]:
    """The files that a commit changes since the previous one. Each has to be a plain file that the patch declares."""
    declared = {place: target for target in patch.header.touches for place in target.places}
    before, after = (snapshot.entries() for snapshot in snapshots)
    found: list[Edited] = []
    for path in sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)):
        old, new = before.get(path), after.get(path)
        if old is None or new is None or old.mode != new.mode or old.mode not in REGULAR:
            raise _refused(patch, path, "A patch edits lines of plain files; new files belong in templates/.")
        if path not in declared:
            raise _refused(patch, path, f"Its Touches names {', '.join(declared)}.")
        texts = [_text(snapshot, path) for snapshot in snapshots]
        target = declared[path]
        left_out = target.left_out(version)
        found.append(Edited(target=target, path=path, before=texts[0], after=texts[1], left_out=left_out))
    return found


def _text(snapshot: Snapshot, path: str) -> str:
    try:
        return (snapshot.read(path) or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise PatchError(f"{path} is not UTF-8 text.", why=f"{error.reason} at byte {error.start}.") from error


def _refused(patch: Patch, path: str, why: str) -> PatchError:
    return PatchError(
        f"The commit of the patch '{patch.name}' changes {path}, which is not allowed.",
        why=why,
        next_step="Remove that change from the commit, or add the file to the patch's Touches first.",
    )
