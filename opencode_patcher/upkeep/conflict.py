"""Presents a patch that does not fit as a normal git conflict: stages 1, 2 and 3 in the index, markers in the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import files, git, scratch

MARKER_SIZE = 7
"""Length of git's conflict markers (``conflict-marker-size`` in gitattributes)."""


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The three versions of a file: ``base`` is the older release's, ``theirs`` that one with the patch, ``ours`` the
    newer release's, None when it does not have the file.
    """

    path: str
    base: str
    ours: str | None
    theirs: str


def put(tree: Path, sides: Sides, *, release: str, patch: str) -> bool:
    """Write the three-way merge of ``sides`` into the tree and the index; True when git merged it without a conflict.

    ``release`` and ``patch`` appear in the markers. Without ``ours`` the file is written with the patch applied, as git
    does when one side deleted what the other changed. Raises ProcessError and StoreError.
    """
    if sides.ours is None:
        _stages(tree, sides)
        files.write_bytes(tree / sides.path, sides.theirs.encode("utf-8"))
        return False
    merged, clean = merge(sides, release=release, patch=patch)
    files.write_bytes(tree / sides.path, merged)
    if clean:
        git.in_tree(tree, "add", "--", sides.path)
    else:
        _stages(tree, sides)
    return clean


def merge(sides: Sides, *, release: str, patch: str) -> tuple[bytes, bool]:
    """git's own merge of the three versions, and whether it has no conflict."""
    with scratch.directory("merge") as place:
        names = {"ours": sides.ours or "", "base": sides.base, "theirs": sides.theirs}
        for name, text in names.items():
            (place / name).write_bytes(text.encode("utf-8"))
        labels = (release, f"{patch}, as it was written", patch)
        done = git.run(
            *("merge-file", "--diff3", f"--marker-size={MARKER_SIZE}"),
            *(word for label in labels for word in ("-L", label)),
            *names,
            cwd=place,
            check=False,
        )
        return (place / "ours").read_bytes(), done.code == 0


def unresolved(tree: Path) -> tuple[str, ...]:
    """The paths that still have a conflict in the index, or markers in the file."""
    staged = git.in_tree(tree, "ls-files", "--unmerged", "-z").stdout.split("\0")
    paths = {entry.split("\t", 1)[1] for entry in staged if entry}
    return tuple(sorted(path for path in paths if _has_markers(tree / path)))


def _has_markers(path: Path) -> bool:
    if not path.is_file():
        return False
    start = b"<" * MARKER_SIZE + b" "
    return any(line.startswith(start) for line in path.read_bytes().splitlines())


def _stages(tree: Path, sides: Sides) -> None:
    """Replace the index entry of a file by those of a conflict."""
    versions = {1: sides.base, 2: sides.ours, 3: sides.theirs}
    entries = [f"0 {'0' * 40}\t{sides.path}"]
    for stage, text in versions.items():
        if text is not None:
            blob = git.in_tree(tree, "hash-object", "-w", "--no-filters", "--stdin", stdin=text).stdout.strip()
            entries.append(f"100644 {blob} {stage}\t{sides.path}")
    git.in_tree(tree, "update-index", "--add", "--index-info", stdin="\n".join(entries) + "\n")
