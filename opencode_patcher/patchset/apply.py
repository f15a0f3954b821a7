"""Makes a work tree equal to the pristine release plus a Change, even if it had another change before.

Only what this tool wrote is overwritten. What it is about to write is recorded before the first file is touched, so the
next run recognises the tree that an interrupted run leaves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from opencode_patcher.base import files, git
from opencode_patcher.base.errors import PatchError, StoreError
from opencode_patcher.patchset import hints, paths, record
from opencode_patcher.patchset.compose import Change
from opencode_patcher.patchset.record import WrittenFiles

SHOWN_EDITS = 10
"""How many of the manually changed files an error names."""


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What was done, as paths in the repository: ``written`` (new content or restored), ``removed``,
    ``unchanged``.
    """

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


def apply_change(
    tree: Path,
    change: Change,
    pristine: Callable[[str], bytes | None],
    *,
    tolerated: frozenset[str] = frozenset(),
    discard_edits: bool = False,
) -> Applied:
    """Bring the work tree at ``tree`` to pristine + ``change``; only files that differ are written.

    ``pristine`` returns a file of the checked-out release, or None. ``tolerated`` paths may differ from it (what ``bun
    install`` rewrites). Raises PatchError when files were changed by hand (unless ``discard_edits``, which undoes that
    first) or a path leads through a symbolic link, and StoreError when the tree cannot be written. Before a PatchError
    nothing of the change has been written.
    """
    git_dir = git.directory(tree)
    for path in change.files:
        if reason := paths.problem(path):
            raise PatchError(f"The path '{path}' cannot be written.", why=f"{reason[0].upper()}{reason[1:]}.")
    known = _read_record(git_dir, discard_edits)
    pristine = cache(pristine)
    wanted: dict[str, bytes | None] = {path: pristine(path) for path in known.files} | dict(change.files)
    status = _status(tree)
    leftovers = [path for path in status if _is_leftover(path, wanted)]
    edits = _edits(tree, {*status, *wanted} - tolerated - set(leftovers), wanted, known, pristine)
    if edits and discard_edits:
        _discard(tree, edits, pristine)
        edits = []
    for path in wanted:
        _refuse_links(tree, path)
    if edits:
        raise _edited_by_hand(tree, edits)
    wanted |= dict.fromkeys(leftovers)

    before = {path: _content(tree, path) for path in wanted}
    differing = [path for path in sorted(wanted) if before[path] != wanted[path]]
    if differing or known.digest != change.digest:
        record.write(git_dir, _transition(known, change, before))
        for path in differing:
            _put(tree, path, wanted[path])
        record.write(git_dir, WrittenFiles(files=_hashes(change), digest=change.digest))
    return Applied(
        written=tuple(path for path in differing if wanted[path] is not None),
        removed=tuple(path for path in differing if wanted[path] is None and path not in leftovers),
        unchanged=tuple(path for path in sorted(change.files) if path not in differing),
    )


def _read_record(git_dir: Path, discard_edits: bool) -> WrittenFiles:
    try:
        return record.read(git_dir)
    except StoreError:
        if not discard_edits:
            raise
        return WrittenFiles()


def _status(tree: Path) -> list[str]:
    """Paths that differ from HEAD, and untracked ones that git does not ignore."""
    output = git.in_tree(tree, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames").stdout
    return [entry[3:] for entry in output.split("\0") if entry]


def _edits(
    tree: Path,
    candidates: Iterable[str],
    wanted: Mapping[str, bytes | None],
    known: WrittenFiles,
    pristine: Callable[[str], bytes | None],
) -> list[str]:
    """The paths whose content is neither the release's nor ours."""
    found: list[str] = []
    for path in sorted(candidates):
        current = _content(tree, path)
        if current is not None and _sha256(current) in known.files.get(path, ()):
            continue
        if current == pristine(path) or (path in wanted and current == wanted[path]):
            continue
        found.append(path)
    return found


def _discard(tree: Path, edits: Iterable[str], pristine: Callable[[str], bytes | None]) -> None:
    """Undo manual changes: the release's files are restored (links and modes too), others are removed."""
    upstream = [path for path in edits if pristine(path) is not None]
    for path in edits:
        if path not in upstream:
            _put(tree, path, None)
    if upstream:
        git.in_tree(
            tree,
            *("restore", "--source=HEAD", "--staged", "--worktree"),
            *("--pathspec-from-file=-", "--pathspec-file-nul"),
            stdin="\0".join(upstream),
        )


def _transition(known: WrittenFiles, change: Change, before: Mapping[str, bytes | None]) -> WrittenFiles:
    """The record to keep while files are being written: what each file is now, and what it will be."""
    files = {path: set(hashes) for path, hashes in known.files.items()}
    for path, content in _hashes(change).items():
        files.setdefault(path, set()).update(content)
    for path, current in before.items():
        if current is not None:
            files.setdefault(path, set()).add(_sha256(current))
    return WrittenFiles(files={path: frozenset(hashes) for path, hashes in files.items()})


def _hashes(change: Change) -> dict[str, frozenset[str]]:
    return {path: frozenset({_sha256(content)}) for path, content in change.files.items()}


def _is_leftover(path: str, wanted: Iterable[str]) -> bool:
    """Whether an untracked file is one that ``files.write_bytes`` writes beside its target before it
    renames it.
    """
    place = PurePosixPath(path)
    return any(
        place.parent == PurePosixPath(target).parent
        and re.fullmatch(rf"\.{re.escape(PurePosixPath(target).name)}\.\w+\.tmp", place.name)
        for target in wanted
    )


def _refuse_links(tree: Path, path: str) -> None:
    """Raise PatchError when ``path`` or a directory on the way to it is a symbolic link, or is in the way."""
    place = tree
    segments = path.split("/")
    for number, segment in enumerate(segments, 1):
        place = place / segment
        if place.is_symlink():
            raise PatchError(
                f"{path} cannot be written.",
                why=f"{place} is a symbolic link; writing through it could change files outside the tree.",
            )
        if place.exists() and place.is_dir() != (number < len(segments)):
            raise PatchError(
                f"{path} cannot be written.",
                why=f"{place} is a {'directory' if place.is_dir() else 'file'}.",
            )


def _content(tree: Path, path: str) -> bytes | None:
    """A file's bytes; None when the tree has no such file (a file in a linked directory is outside the tree).

    A link or a directory counts as content that nobody wrote.
    """
    place = tree / path
    if any((tree / parent).is_symlink() for parent in _parents(path)):
        return None
    try:
        if place.is_symlink():
            return b"symbolic link to " + str(place.readlink()).encode("utf-8", "surrogateescape")
        return place.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        return b"directory"
    except OSError as error:
        raise StoreError(f"{place} cannot be read.", why=f"{error.strerror or error}.") from error


def _put(tree: Path, path: str, content: bytes | None) -> None:
    """Write a file, or remove it and any directories left empty."""
    place = tree / path
    if content is not None:
        files.write_bytes(place, content)
        return
    try:
        place.unlink(missing_ok=True)
        for parent in _parents(path):
            directory = tree / parent
            if not directory.is_dir() or any(directory.iterdir()):
                break
            directory.rmdir()
    except OSError as error:
        raise StoreError(f"{place} cannot be removed.", why=f"{error.strerror or error}.") from error


def _parents(path: str) -> list[PurePosixPath]:
    """The directories above a path, innermost first, without the tree itself."""
    return list(PurePosixPath(path).parents)[:-1]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _edited_by_hand(tree: Path, edits: list[str]) -> PatchError:
    shown = [f"  {path}" for path in edits[:SHOWN_EDITS]]
    if len(edits) > SHOWN_EDITS:
        shown.append(f"  and {len(edits) - SHOWN_EDITS} more")
    return PatchError(
        f"The work tree {tree} has manual changes.",
        why="\n".join(["These files differ from both the release and our patches, and would be lost:", *shown]),
        next_step=f"Save them elsewhere, then discard them and build: {hints.discard_edits(tree.name)}",
    )
