"""Checks that a rendered patch has to pass before any file is looked at.

unidiff accepts text that is not a patch, drops what is between hunks, and counts leniently. So a patch has to parse,
print back to exactly the same text, change only the declared files, and do nothing but edit lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import hints, paths
from opencode_patcher.patchset.series import Patch
from opencode_patcher.patchset.typescript.outline import heading_path

if TYPE_CHECKING:
    from unidiff.patch import Hunk as ParsedHunk
    from unidiff.patch import PatchedFile

CONTEXT, REMOVED, ADDED = " ", "-", "+"
_INDEX_LINE = re.compile(r"index [0-9a-f]{7,64}\.\.[0-9a-f]{7,64}(?: 100(?:644|755))?")
_MORE_THAN_EDITS = re.compile(
    r"^(?:new file mode|deleted file mode|old mode|new mode|similarity index|dissimilarity index|rename|copy"
    r"|Binary files|GIT binary patch)\b.*",
    re.MULTILINE,
)
"""The extended headers of git-diff ("generating patch text with -p"); a hunk's lines begin with no letter."""


@dataclass(frozen=True, kw_only=True)
class HunkLine:
    """One line of a hunk: ``kind`` is CONTEXT, REMOVED or ADDED; ``text`` has no line ending."""

    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Hunk:
    """One edit. ``number`` counts from 1 within the file; ``line`` is the stated first line, from 1."""

    number: int
    line: int
    heading: str
    lines: tuple[HunkLine, ...]

    @property
    def source(self) -> tuple[str, ...]:
        """The lines that have to be in the file: context and removed."""
        return tuple(line.text for line in self.lines if line.kind != ADDED)

    @property
    def result(self) -> tuple[str, ...]:
        """The lines that replace them: context and added."""
        return tuple(line.text for line in self.lines if line.kind != REMOVED)


@dataclass(frozen=True, kw_only=True)
class FileHunks:
    """The hunks for one file, in the order of the patch."""

    path: str
    hunks: tuple[Hunk, ...]

    def numbered(self, number: int) -> Hunk:
        """The hunk of that number, which has to be there."""
        return next(hunk for hunk in self.hunks if hunk.number == number)

    def without(self, numbers: frozenset[int]) -> FileHunks:
        """The same without some of the hunks; the others keep their numbers."""
        return replace(self, hunks=tuple(hunk for hunk in self.hunks if hunk.number not in numbers))


def parse(patch: Patch, rendered: str) -> tuple[FileHunks, ...]:
    """Check the rendered text of ``patch`` and return its hunks by file.

    Raises PatchError, naming the line of the patch where that is known, for anything but plain edits of
    exactly the files that the header declares.
    """
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    # The template's comments and blocks may have moved the diff; the header itself is constant.
    start = 0 if rendered.startswith("diff --git ") else rendered.find("\ndiff --git ") + 1
    diff = rendered[start:]
    first_line = rendered.count("\n", 0, start)
    if "\r" in diff or "\0" in diff:
        raise _refused(patch, "it contains a carriage return or a NUL character")
    if not diff.endswith("\n"):
        raise _refused(patch, "its last line has no newline")
    if more := _MORE_THAN_EDITS.search(diff):
        raise _refused(patch, f"it does more than edit lines: {more.group()}")
    try:
        parsed = PatchSet.from_string(diff)
    except UnidiffParseError as error:
        raise _refused(patch, f"it does not parse: {str(error).strip()}") from error
    if str(parsed) != diff:
        line = first_line + _first_difference(str(parsed), diff)
        raise _refused(
            patch,
            f"line {line} does not belong to any hunk, or the counts before it are wrong "
            "(each hunk needs its full '@@ -line,count +line,count @@')",
        )
    files = tuple(_file(patch, parsed_file) for parsed_file in parsed)
    _check_declared(patch, [file.path for file in files])
    _check_variants(patch, files)
    return files


def _file(patch: Patch, parsed: PatchedFile) -> FileHunks:
    path = parsed.source_file.removeprefix("a/")
    if reason := paths.problem(path):
        raise _refused(patch, f"it names the path '{path}': {reason}")
    info = [str(line).rstrip("\n") for line in parsed.patch_info or ()]
    if not info or info[0] != f"diff --git a/{path} b/{path}" or parsed.target_file != f"b/{path}":
        raise _refused(patch, f"it does more to '{path}' than edit it (its old and new path differ)")
    extra = [line for line in info[1:] if not _INDEX_LINE.fullmatch(line)]
    if extra or parsed.is_binary_file:
        raise _refused(
            patch,
            f"it does more to '{path}' than edit lines: {extra[0] if extra else 'it is a binary patch'}",
        )
    if parsed.source_timestamp or parsed.target_timestamp:
        raise _refused(patch, f"the '---' or '+++' line of '{path}' has something after the path")
    if not parsed:
        raise _refused(patch, f"it has no hunk for '{path}'")
    return FileHunks(path=path, hunks=tuple(_hunk(patch, path, number, hunk) for number, hunk in enumerate(parsed, 1)))


def _hunk(patch: Patch, path: str, number: int, parsed: ParsedHunk) -> Hunk:
    where = f"hunk {number} of '{path}'"
    others = [line for line in parsed if line.line_type not in (CONTEXT, REMOVED, ADDED)]
    if any(line.line_type == "\\" for line in others):
        raise _refused(patch, f"{where} is about the newline at the end of the file; remove that line")
    if others:
        raise _refused(patch, f"there is a blank line after {where}; remove it")
    if not parsed.is_valid():
        raise _refused(patch, f"the counts in the '@@' line of {where} are wrong")
    lines = tuple(HunkLine(kind=line.line_type, text=line.value.removesuffix("\n")) for line in parsed)
    hunk = Hunk(number=number, line=parsed.source_start, heading=parsed.section_header.strip(), lines=lines)
    if all(line.kind == CONTEXT for line in lines):
        raise _refused(patch, f"{where} changes nothing")
    if not any(text.strip() for text in hunk.source):
        raise _refused(patch, f"{where} has no line of context that shows where it belongs")
    if hunk.source == hunk.result:
        raise _refused(patch, f"{where} adds back what it removes")
    if "" in heading_path(hunk.heading):
        raise _refused(
            patch,
            f"the heading of {where}, '{hunk.heading}', names no function, class, type or top-level const",
        )
    return hunk


def _check_declared(patch: Patch, found: list[str]) -> None:
    declared = [target.path for target in patch.header.touches]
    if not found:
        raise _refused(patch, "it contains no file")
    if twice := [path for path in found if found.count(path) > 1]:
        raise _refused(patch, f"it has two parts for '{twice[0]}'")
    if undeclared := [path for path in found if path not in declared]:
        raise _refused(patch, f"it changes '{undeclared[0]}', which its 'Touches' does not name")
    if unchanged := [path for path in declared if path not in found]:
        raise _refused(patch, f"its 'Touches' names '{unchanged[0]}', which it does not change")


def _check_variants(patch: Patch, files: tuple[FileHunks, ...]) -> None:
    counts = {file.path: len(file.hunks) for file in files}
    for target in patch.header.touches:
        named = {number for variant in target.variants for number in variant.numbers}
        if named and max(named) > counts[target.path]:
            raise _refused(
                patch, f"its 'Hunks' names hunk {max(named)} of '{target.path}', which has {counts[target.path]}"
            )


def _first_difference(one: str, other: str) -> int:
    """The number (from 1) of the first line in which ``other`` differs from ``one``."""
    ours, theirs = one.split("\n"), other.split("\n")
    for number, line in enumerate(theirs, 1):
        if number > len(ours) or ours[number - 1] != line:
            return number
    return len(theirs)


def _refused(patch: Patch, why: str) -> PatchError:
    return PatchError(
        f"The patch '{patch.name}' is refused.",
        why=f"{why[0].upper()}{why[1:]}.",
        next_step=hints.show_patch(patch.name),
    )
