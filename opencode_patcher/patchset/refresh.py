"""Rewrites a patch from the files as they are after it. Pure.

Everything that did not change stays as written, byte for byte: the header, the variables of a template, headings,
context, and the stated line numbers of a file whose hunks are all as before. A new or changed hunk gets as little
context as it needs for exactly one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import hints, series
from opencode_patcher.patchset.parse import ADDED, CONTEXT, REMOVED, FileHunks, Hunk, HunkLine, parse
from opencode_patcher.patchset.place import Placement, apply, place, read_source, split_lines
from opencode_patcher.patchset.render import render_patch
from opencode_patcher.patchset.series import MOVED_FROM, Patch, TouchedFile
from opencode_patcher.patchset.typescript import lexer
from opencode_patcher.patchset.typescript.outline import SEPARATOR

MOST_CONTEXT = 8
"""Lines on either side. A change that needs more to be unambiguous has to be made elsewhere."""

_SECTION = re.compile(r"^(?=diff --git )", re.MULTILINE)
_HUNK = re.compile(r"^(?=@@ )", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Edited:
    """A file of a patch: where it is in the release, and its text before and after the patch. ``left_out`` are the
    numbers of the hunks that the release does not get.
    """

    target: TouchedFile
    path: str
    before: str
    after: str
    left_out: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class _Change:
    """The lines of a file (from 0) that an edit replaces, and what it makes of them: removed and added lines, and
    context between several changes.
    """

    old: range
    lines: tuple[HunkLine, ...]


@dataclass(frozen=True, kw_only=True)
class _Gap:
    """A range of lines that no kept hunk changes, in the text before and in the text after."""

    old: range
    new: range


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A hunk to write: the lines as text, what they replace (from ``line``, counted from 0), and the heading.

    ``number`` is that of a hunk which stays as it is, 0 for a new one.
    """

    number: int = 0
    line: int
    source: int
    result: int
    heading: str
    body: str


def refreshed(patch: Patch, files: Sequence[Edited], values: Mapping[str, str]) -> str:
    """The text of the patch file that turns each file's ``before`` into its ``after``.

    A file of the patch that is not in ``files`` (this release does not need it) is left as it is. Raises PatchError
    when no hunk for an edit has exactly one place, or an edit is in a hunk with variables.
    """
    header, sections = _sections(patch)
    rendered = {file.path: file for file in parse(patch, render_patch(patch.name, patch.text, values))}
    by_target = {file.target.path: file for file in files}
    made = [
        _section(patch, section, rendered[path].without(by_target[path].left_out), by_target[path])
        if path in by_target
        else section
        for path, section in sections
    ]
    for file in files:
        header = _with_place(header, file)
    text = header + "".join(made)
    _verify(patch, text, files, values)
    return text


def _sections(patch: Patch) -> tuple[str, list[tuple[str, str]]]:
    """The header, and the part of each file by its path, as written."""
    header, *sections = _SECTION.split(patch.text)
    paths = [section.split("\n", 1)[0].split(" b/", 1)[1] for section in sections]
    return header, list(zip(paths, sections, strict=True))


def _section(patch: Patch, section: str, hunks: FileHunks, file: Edited) -> str:
    start, *raw = _HUNK.split(section)
    kept, made = _kept_and_new(patch, hunks, file)
    if not made and len(kept) == len(hunks.hunks):
        return _moved(start, file) + "".join(raw)
    if len(raw) != len(hunks.hunks) + len(file.left_out):
        raise _by_hand(patch, "There are template blocks around its hunks.")
    for hunk in hunks.hunks:
        lost = all(placement.hunk != hunk.number for placement in kept)
        if lost and raw[hunk.number - 1].split("\n", 1)[1] != _body(hunk.lines):
            raise _by_hand(patch, f"Hunk {hunk.number} of {file.target.path} has variables.")
    for placement in kept:
        hunk = hunks.numbered(placement.hunk)
        body = raw[placement.hunk - 1].split("\n", 1)[1]
        made.append(
            _Part(
                number=placement.hunk,
                line=placement.line - 1,
                source=len(hunk.source),
                result=len(hunk.result),
                heading=hunk.heading,
                body=body,
            )
        )
    if not made:
        raise PatchError(
            f"The patch '{patch.name}' no longer changes {file.target.path}.",
            why="The change was removed, or upstream already has it.",
            next_step=f"Remove the file from {patch.file_name}: its line in Touches and its part of the diff.",
        )
    parts = sorted(made, key=lambda part: part.line)
    if not file.left_out:
        return _moved(start, file) + "".join(_written(parts))
    # `Hunks` refers to hunks by number. So each hunk has to keep its number, and a new one may only take the place of
    # an old one.
    numbers = [hunk.number for hunk in hunks.hunks]
    if [part.number or number for part, number in zip(parts, numbers, strict=False)] != numbers or len(parts) > len(
        numbers
    ):
        raise _by_hand(
            patch,
            f"The number of hunks of {file.target.path} would change, and `Hunks` in the header says which of them are "
            "only for some releases.",
        )
    written = dict(zip(numbers, _written(parts), strict=True))
    return _moved(start, file) + "".join(written.get(number, text) for number, text in enumerate(raw, 1))


def _written(parts: Sequence[_Part]) -> Iterator[str]:
    shift = 0
    for part in parts:
        ranges = f"-{part.line + 1},{part.source} +{part.line + 1 + shift},{part.result}"
        yield f"@@ {ranges} @@ {part.heading}".rstrip() + "\n" + part.body
        shift += part.result - part.source


def _kept_and_new(patch: Patch, hunks: FileHunks, file: Edited) -> tuple[list[Placement], list[_Part]]:
    """The placements of the hunks that stay as they are, and new hunks for the other edits.

    A hunk that still has the same effect is kept, unless a change beside it has no place without its lines.
    """
    placed = place(patch.name, file.path, hunks, file.before)
    candidates = [placement for placement in placed.placements if not placement.already]
    # One alignment of the texts decides which hunks are kept and where their results are. A second one, made from the
    # kept hunks alone, might match a repeated line differently and contradict the first.
    edits = _differences(split_lines(apply(file.before, hunks, candidates)), split_lines(file.after))
    kept = {
        placement: stretch
        for placement, result in zip(candidates, _results(hunks, candidates), strict=True)
        if (stretch := _unchanged(result, edits)) is not None
    }
    while True:
        found: list[_Part] = []
        for index, gap in enumerate(_gaps(hunks, kept, file)):
            try:
                found += _parts(patch, file, gap)
            except PatchError:
                beside = list(kept)[max(index - 1, 0) : index + 1]
                if not beside:
                    raise
                kept = {placement: stretch for placement, stretch in kept.items() if placement not in beside}
                break
        else:
            return list(kept), found


def _unchanged(result: range, edits: Sequence[tuple[str, int, int, int, int]]) -> range | None:
    """Where a hunk's result is in the text after the edits; None when one of them changes its lines."""
    if any(tag != "equal" and start < result.stop and end > result.start for tag, start, end, _, _ in edits):
        return None
    # No edit changes its lines, so it is in one range that both texts have, or is empty at the end of one.
    for tag, start, end, new_start, _ in edits:
        if tag == "equal" and start <= result.start and result.stop <= end:
            return range(result.start - start + new_start, result.stop - start + new_start)
    return None


def _gaps(hunks: FileHunks, kept: Mapping[Placement, range], file: Edited) -> Iterator[_Gap]:
    """The ranges before, between and after the kept hunks, whose results are in the text after."""
    old_at = new_at = 0
    for placement, result in kept.items():
        first = placement.line - 1
        yield _Gap(old=range(old_at, first), new=range(new_at, result.start))
        old_at, new_at = first + len(hunks.numbered(placement.hunk).source), result.stop
    yield _Gap(old=range(old_at, len(split_lines(file.before))), new=range(new_at, len(split_lines(file.after))))


def _results(hunks: FileHunks, placements: Sequence[Placement]) -> list[range]:
    """The lines of each hunk's result (from 0) in the text with all ``placements`` applied."""
    found: list[range] = []
    shift = 0
    for placement in placements:
        hunk = hunks.numbered(placement.hunk)
        start = placement.line - 1 + shift
        found.append(range(start, start + len(hunk.result)))
        shift += len(hunk.result) - len(hunk.source)
    return found


def _differences(before: Sequence[str], after: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes()


def _parts(patch: Patch, file: Edited, gap: _Gap) -> list[_Part]:
    """The hunks for the edits in a gap; neighbouring changes share one if they have no place on their own.

    Raises PatchError for a change that has no place within the gap.
    """
    before, after = split_lines(file.before), split_lines(file.after)
    changes = [
        _Change(
            old=range(gap.old.start + start, gap.old.start + end),
            lines=(
                *_lines(REMOVED, before[gap.old.start + start : gap.old.start + end]),
                *_lines(ADDED, after[gap.new.start + new_start : gap.new.start + new_end]),
            ),
        )
        for tag, start, end, new_start, new_end in _differences(
            before[gap.old.start : gap.old.stop], after[gap.new.start : gap.new.stop]
        )
        if tag != "equal"
    ]
    while True:
        found: list[_Part] = []
        at = gap.old.start
        for index, change in enumerate(changes):
            stop = changes[index + 1].old.start if index + 1 < len(changes) else gap.old.stop
            part = _hunk(patch, file, change, range(at, stop))
            if part is None:
                if len(changes) == 1:
                    raise _no_place(patch, file, change)
                first = min(index, len(changes) - 2)
                changes[first : first + 2] = [_joined(before, changes[first], changes[first + 1])]
                break
            found.append(part)
            at = part.line + part.source
        else:
            return found


def _joined(before: Sequence[str], first: _Change, second: _Change) -> _Change:
    """Two neighbouring changes as one, with the lines between them as context."""
    between = _lines(CONTEXT, before[first.old.stop : second.old.start])
    return _Change(old=range(first.old.start, second.old.stop), lines=(*first.lines, *between, *second.lines))


def _hunk(patch: Patch, file: Edited, change: _Change, room: range) -> _Part | None:
    """The hunk that makes a change, with the least context within ``room`` that gives it exactly this place; None when
    there is none.
    """
    before, old = split_lines(file.before), change.old
    heading = _heading(file, old.start)
    for lead, trail in _contexts(insertion=not old):
        first, last = old.start - lead, old.stop + trail
        if first < room.start or last > room.stop or first == last:
            continue
        lines = (
            *_lines(CONTEXT, before[first : old.start]),
            *change.lines,
            *_lines(CONTEXT, before[old.stop : last]),
        )
        hunk = Hunk(number=1, line=first + 1, heading=heading, lines=lines)
        if not any(text.strip() for text in hunk.source):
            continue
        found = place(patch.name, file.path, FileHunks(path=file.path, hunks=(hunk,)), file.before)
        if not found.misfits and found.placements[0].line == first + 1 and not found.placements[0].already:
            body = _body(lines)
            return _Part(line=first, source=len(hunk.source), result=len(hunk.result), heading=heading, body=body)
    return None


def _no_place(patch: Patch, file: Edited, change: _Change) -> PatchError:
    return PatchError(
        f"A change of the patch '{patch.name}' has no place of its own in {file.path}, line {change.old.start + 1}.",
        why=f"Even with {MOST_CONTEXT} lines around them, its lines occur more than once, or they are in a comment "
        "or a literal.",
        next_step="Make the change at another line of the function.",
    )


def _contexts(*, insertion: bool) -> list[tuple[int, int]]:
    """Numbers of lines before and after a change, the least first; with the same number, more after than before.

    A replaced line may stand alone. An insertion needs a neighbour.
    """
    pairs = [(lead, trail) for lead in range(MOST_CONTEXT + 1) for trail in range(MOST_CONTEXT + 1)]
    return sorted(pairs[1:] if insertion else pairs, key=lambda pair: (sum(pair), pair[0]))


def _heading(file: Edited, line: int) -> str:
    """The shortest heading that names the function around a line, as ``parse`` understands it."""
    if not file.path.endswith(lexer.SUFFIXES):
        return ""
    source, outline = read_source(file.before)
    if outline is None:
        return ""
    offset = source.starts[line] if line < len(source.starts) else len(source.text)
    declaration = outline.enclosing(offset)
    path = declaration.path if declaration else ()
    for count in range(1, len(path) + 1):
        if len(outline.named(path[-count:])) == 1:
            return SEPARATOR.join(path[-count:])
    return SEPARATOR.join(path)


def _lines(kind: str, lines: Sequence[str]) -> Iterator[HunkLine]:
    for line in lines:
        yield HunkLine(kind=kind, text=line.removesuffix("\n").removesuffix("\r"))


def _body(lines: Sequence[HunkLine]) -> str:
    return "".join(f"{line.kind}{line.text}\n" for line in lines)


def _moved(start: str, file: Edited) -> str:
    """The lines above a file's hunks, with the file's new place if it was moved."""
    if file.path in (file.target.path, *file.target.older):
        return start
    return f"diff --git a/{file.path} b/{file.path}\n--- a/{file.path}\n+++ b/{file.path}\n"


def _with_place(header: str, file: Edited) -> str:
    """The header with a file's new place in Touches, before the older ones."""
    if file.path in (file.target.path, *file.target.older):
        return header
    before, key, touches = header.partition("Touches:")
    return before + key + touches.replace(file.target.path, f"{file.path}{MOVED_FROM}{file.target.path}", 1)


def _verify(patch: Patch, text: str, files: Sequence[Edited], values: Mapping[str, str]) -> None:
    """Check that the written patch has the same effect as the edits."""
    again = series.parse(patch.name, text)
    hunks = {file.path: file for file in parse(again, render_patch(again.name, again.text, values))}
    for file in files:
        written = (hunks.get(file.path) or hunks[file.target.path]).without(file.left_out)
        outcome = place(patch.name, file.path, written, file.before)
        if outcome.misfits or outcome.text != file.after:
            raise PatchError(
                f"The patch '{patch.name}' cannot be written for {file.path}.",
                why="Its hunks would not reproduce the file as it is now.",
                next_step=f"Edit {patch.file_name} by hand. {hints.show_patch(patch.name)}",
            )


def _by_hand(patch: Patch, why: str) -> PatchError:
    return PatchError(
        f"The patch '{patch.name}' cannot be updated automatically.",
        why=why,
        next_step=f"Edit {patch.file_name} by hand. {hints.show_patch(patch.name)}",
    )
