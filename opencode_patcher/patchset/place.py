"""Where a hunk belongs in a file: in exactly one place, or nowhere. Pure, and never fuzzy.

A hunk fits when its source lines (context and removed) occur as one block in the function that its heading
names, and only once there. The whole file is searched; stated line numbers are a hint for people only.
Blocks inside comments and literals do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from opencode_patcher.patchset.parse import ADDED, CONTEXT, REMOVED, FileHunks, Hunk
from opencode_patcher.patchset.typescript import lexer
from opencode_patcher.patchset.typescript.lexer import Source
from opencode_patcher.patchset.typescript.outline import Outline, heading_path


class Reason(StrEnum):
    """Why a hunk was not placed."""

    NOT_FOUND = "its lines are not in the file"
    OTHER_FUNCTION = "its lines are in the file, but not in the function that it belongs to"
    FUNCTION_GONE = "its lines and the function that it belongs to are not in the file"
    FUNCTION_AMBIGUOUS = "several places in the file have the name that its heading gives"
    AMBIGUOUS = "its lines occur more than once in that function"
    IN_TEXT = "its lines are only inside a comment or a literal"
    OUT_OF_ORDER = "it would come before, or overlap, the hunk that precedes it"
    UNREADABLE = "the brackets or literals of the file do not match up"


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A hunk that fits. Lines count from 1 in the file as the previous patches left it.

    ``path`` is where the file is in this release, ``line`` where the hunk's lines begin, ``offset`` how far that is
    from the stated line. ``function`` is the full name of the enclosing declaration, "" at the top level. With
    ``already`` the file already has the result, and nothing is changed.
    """

    patch: str
    path: str
    hunk: int
    line: int
    function: str
    offset: int
    already: bool = False


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """A hunk that does not fit. ``found`` are the lines (from 1) where its block occurs elsewhere, with the enclosing
    function; ``detail`` adds to the reason."""

    patch: str
    path: str
    hunk: Hunk
    reason: Reason
    found: tuple[tuple[int, str], ...] = ()
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """The outcome for one file. ``text`` is the new text, and the old one when any hunk does not fit."""

    text: str
    placements: tuple[Placement, ...]
    misfits: tuple[Misfit, ...]


def place(patch: str, path: str, hunks: FileHunks, text: str) -> Placed:
    """Place all hunks of a patch for one file in ``text``, which keeps its own line endings."""
    source, outline = read_source(text) if path.endswith(lexer.SUFFIXES) else (None, None)
    contents = tuple(_content(line) for line in split_lines(text))
    file = _File(path=path, contents=contents, source=source, outline=outline)
    placements: list[Placement] = []
    misfits: list[Misfit] = []
    for hunk in hunks.hunks:
        outcome = _place_hunk(file, patch, hunk)
        if isinstance(outcome, Placement) and placements and outcome.line < _end(placements[-1], hunks):
            outcome = Misfit(
                patch=patch,
                path=path,
                hunk=hunk,
                reason=Reason.OUT_OF_ORDER,
                found=((outcome.line, outcome.function),),
            )
        if isinstance(outcome, Placement):
            placements.append(outcome)
        else:
            misfits.append(outcome)
    if misfits:
        return Placed(text=text, placements=tuple(placements), misfits=tuple(misfits))
    return Placed(text=apply(text, hunks, placements), placements=tuple(placements), misfits=())


def apply(text: str, hunks: FileHunks, placements: Sequence[Placement]) -> str:
    """The text with the hunks of ``placements`` applied; they are in the order of the file."""
    made = split_lines(text)
    for placement in reversed(placements):
        if placement.already:
            continue
        hunk = hunks.numbered(placement.hunk)
        start = placement.line - 1
        made[start : start + len(hunk.source)] = _edited(made[start : start + len(hunk.source)], hunk)
    return "".join(made)


def added_lines(hunk: Hunk, placement: Placement, shift: int) -> list[int]:
    """The indices of a hunk's added lines in the new text; earlier hunks have moved it by ``shift`` lines."""
    found: list[int] = []
    index = placement.line - 1 + shift
    for line in hunk.lines:
        if line.kind == ADDED:
            found.append(index)
        if line.kind in (ADDED, CONTEXT):
            index += 1
    return found


@lru_cache(maxsize=32)
def read_source(text: str) -> tuple[Source, Outline | None]:
    """What is code in a file, and its declarations; None instead of these when its brackets do not match.

    Neighbouring releases share most files, and several patches may touch one: each text is read once.
    """
    source = lexer.scan(text)
    return source, None if source.problem else Outline(source)


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file to search. ``contents`` are its lines without their endings, None for a last line that has none.
    ``source`` and ``outline`` are None for a file that the lexer cannot read.
    """

    path: str
    contents: tuple[str | None, ...]
    source: Source | None
    outline: Outline | None

    def occurrences(self, block: Sequence[str]) -> list[int]:
        """The indices at which the block stands as it is. A last line without a newline matches nothing, as
        in git.
        """
        wanted = tuple(block)
        return [
            index
            for index, content in enumerate(self.contents)
            if content == wanted[0] and self.contents[index : index + len(wanted)] == wanted
        ]

    def in_text(self, lines: Iterable[int]) -> str:
        """The kind of comment or literal in which one of these lines starts; "" when all start in code."""
        if self.source is None:
            return ""
        kinds = (self.source.text_around(line) for line in lines if line < len(self.source.starts))
        return next((kind for kind in kinds if kind), "")

    def function(self, line: int) -> tuple[str, ...]:
        """The names that enclose the start of a line (or the end of the file)."""
        if self.source is None or self.outline is None:
            return ()
        starts = self.source.starts
        declaration = self.outline.enclosing(starts[line] if line < len(starts) else len(self.source.text))
        return declaration.path if declaration else ()

    def named(self, wanted: tuple[str, ...]) -> list[tuple[int, tuple[str, ...]]]:
        """All declarations that a heading can mean, with their line (from 1)."""
        found = self.outline.named(wanted) if self.outline else ()
        return [(declaration.line + 1, declaration.path) for declaration in found]


def _place_hunk(file: _File, patch: str, hunk: Hunk) -> Placement | Misfit:
    wanted = heading_path(hunk.heading)

    def misfit(reason: Reason, at: Sequence[int] = (), detail: str = "") -> Misfit:
        found = tuple((index + 1, " > ".join(file.function(index))) for index in at)
        return Misfit(patch=patch, path=file.path, hunk=hunk, reason=reason, found=found, detail=detail)

    def placed(index: int, *, already: bool = False) -> Placement:
        return Placement(
            patch=patch,
            path=file.path,
            hunk=hunk.number,
            line=index + 1,
            function=" > ".join(file.function(index + _changes(hunk, ADDED if already else REMOVED)[0])),
            offset=index + 1 - hunk.line,
            already=already,
        )

    def hidden(index: int, lines: Sequence[str], changes: Sequence[int]) -> str:
        return file.in_text([*range(index, index + len(lines)), *(index + change for change in changes)])

    def fits(index: int, lines: Sequence[str], changes: Sequence[int]) -> bool:
        return not hidden(index, lines, changes) and all(
            _matches(file.function(index + change), wanted) for change in changes
        )

    if file.source is not None and file.source.problem:
        return misfit(Reason.UNREADABLE, detail=file.source.problem)
    homes = file.named(wanted) if wanted else []
    if len(homes) > 1:
        where = ", ".join(f"line {line} ({' > '.join(path)})" for line, path in homes)
        return misfit(Reason.FUNCTION_AMBIGUOUS, detail=where)

    changes = _changes(hunk, REMOVED)
    everywhere = file.occurrences(hunk.source)
    here = [index for index in everywhere if fits(index, hunk.source, changes)]
    applied = []
    if _adds_something(hunk):  # for a removal the result proves nothing: the line may just have changed
        results = file.occurrences(hunk.result)
        applied = [index for index in results if fits(index, hunk.result, _changes(hunk, ADDED))]
    in_result = [index for index in here if any(_is_part(index, result, hunk) for result in applied)]
    if len(applied) == 1 and len(in_result) == len(here):
        return placed(applied[0], already=True)
    if len(here) == 1 and not in_result:
        return placed(here[0])
    if here or applied:
        return misfit(Reason.AMBIGUOUS, here or applied)
    if not everywhere:
        gone = wanted and not homes and file.outline is not None
        return misfit(Reason.FUNCTION_GONE if gone else Reason.NOT_FOUND)
    text_kinds = [hidden(index, hunk.source, changes) for index in everywhere]
    if all(text_kinds):
        return misfit(Reason.IN_TEXT, everywhere, detail=f"a {text_kinds[0]}")
    return misfit(Reason.OTHER_FUNCTION, everywhere)


def _matches(path: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether a place is in the function that a heading names; an empty heading is the top level."""
    return path[-len(wanted) :] == wanted if wanted else not path


def _changes(hunk: Hunk, kind: str) -> list[int]:
    """Where the block changes, counted from its first line: one index for each run of changed lines.

    ``kind`` is REMOVED to count in the source, ADDED to count in the result.
    """
    found: list[int] = []
    position, running = 0, False
    for line in hunk.lines:
        if line.kind != CONTEXT and not running:
            found.append(position)
        running = line.kind != CONTEXT
        if line.kind in (CONTEXT, kind):
            position += 1
    return found


def _adds_something(hunk: Hunk) -> bool:
    return any(line.kind == ADDED and line.text.strip() for line in hunk.lines)


def _is_part(source_index: int, result_index: int, hunk: Hunk) -> bool:
    """Whether a source block is only the context of a result that is already there."""
    return result_index <= source_index and source_index + len(hunk.source) <= result_index + len(hunk.result)


def _end(placement: Placement, hunks: FileHunks) -> int:
    hunk = hunks.numbered(placement.hunk)
    return placement.line + len(hunk.result if placement.already else hunk.source)


def split_lines(text: str) -> list[str]:
    """The lines with their endings; only a line feed ends a line (``str.splitlines`` knows many more)."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _content(line: str) -> str | None:
    """A line without its ending; None when it has no ending."""
    if line.endswith("\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith("\n") else None


def _edited(block: Sequence[str], hunk: Hunk) -> list[str]:
    """The block after the hunk; an added line gets the line ending of its neighbour."""
    made: list[str] = []
    position = 0
    for line in hunk.lines:
        if line.kind == ADDED:
            beside = block[max(position - 1, 0)]
            made.append(line.text + ("\r\n" if beside.endswith("\r\n") else "\n"))
            continue
        if line.kind == CONTEXT:
            made.append(block[position])
        position += 1
    return made
