"""git's opinion on a patch: a second, independent implementation that ours is measured against."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from opencode_patcher.base import git
from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.files import write_bytes
from opencode_patcher.patchset import hints
from opencode_patcher.patchset.compose import ReadPristine, outcomes
from opencode_patcher.patchset.parse import parse
from opencode_patcher.patchset.render import render_patch
from opencode_patcher.patchset.series import Patch


def git_result(diff: str, files: Mapping[str, bytes]) -> dict[str, bytes] | None:
    """What plain ``git apply`` makes of ``files`` (content by path); None when it refuses the diff.

    Works in a scratch repository; line endings and white space are left alone.
    """
    with tempfile.TemporaryDirectory(prefix="opencode-patcher-") as scratch:
        root = Path(scratch)
        git.run("init", "--quiet", cwd=root)
        for path, content in files.items():
            write_bytes(root / path, content)
        applied = git.run(
            "-c",
            "core.autocrlf=false",
            "apply",
            "--whitespace=nowarn",
            "-",
            cwd=root,
            stdin=diff,
            check=False,
        )
        if applied.code != 0:
            return None
        return {path: (root / path).read_bytes() for path in files}


def verify_with_git(patch: Patch, values: Mapping[str, str], read: ReadPristine) -> bool:
    """Whether git applies the patch too, to the same bytes; False when git refuses it.

    Raises PatchError when both accept it and disagree: then one of the hunks has to say more about where it
    belongs.
    """
    rendered = render_patch(patch.name, patch.text, values)
    parse(patch, rendered)
    ours: dict[str, bytes] = {}
    before: dict[str, bytes] = {}
    for outcome in outcomes(patch, values, read):
        if outcome.path is None or outcome.placed is None or outcome.placed.misfits:
            return False
        # git is asked at the path that the diff names, also for a file which this release has elsewhere.
        before[outcome.target.path] = outcome.before.encode("utf-8")
        ours[outcome.target.path] = outcome.placed.text.encode("utf-8")
    theirs = git_result(rendered[rendered.index("diff --git ") :], before)
    if theirs is None:
        return False
    if differing := [path for path in ours if ours[path] != theirs[path]]:
        raise PatchError(
            f"git would apply the patch '{patch.name}' to another place of {differing[0]}.",
            why="Its lines occur more than once; only the function in the hunk's heading tells them apart.",
            next_step=f"Give the hunk more context. {hints.show_patch(patch.name)}",
        )
    return True
