"""Explains a hunk that does not fit to the person who has to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import hints
from opencode_patcher.patchset.place import Misfit, Reason
from opencode_patcher.patchset.typescript import lexer
from opencode_patcher.patchset.typescript.outline import SEPARATOR, Outline, heading_path

SIMILAR = 0.55
"""Least similarity (``SequenceMatcher.ratio``) of a block that is shown as the nearest one."""


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """The block of a file that is most like a hunk. ``line`` counts from 1; ``blank_only`` says that nothing but white
    space differs.
    """

    line: int
    lines: tuple[str, ...]
    blank_only: bool


class MisfitError(PatchError):
    """A hunk does not fit; ``misfit`` holds the parts of the message for machines."""

    def __init__(self, misfit: Misfit, what: str, *, why: str, next_step: str) -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.misfit = misfit


def explain(misfit: Misfit, text: str) -> MisfitError:
    """The error for a misfit: file, function, expected lines and the nearest lines of ``text``."""
    hunk = misfit.hunk
    function = SEPARATOR.join(heading_path(hunk.heading))
    where = f"in {function}" if function else "at the top level of the file"
    parts = [f"Cause: {misfit.reason}" + (f" ({misfit.detail})." if misfit.detail else ".")]
    parts += [f"Expected {where}:", *_numbered(hunk.line, hunk.source)]
    if misfit.found:
        parts += [
            f"Found on line {line}, {f'in {name}' if name else 'at the top level'}." for line, name in misfit.found
        ]
    elif misfit.reason not in (Reason.UNREADABLE, Reason.FUNCTION_AMBIGUOUS):
        parts += _nearest_lines(hunk.source, text)
    if function:
        parts += _function_lines(misfit.path, hunk.heading, text)
    if misfit.reason is Reason.FUNCTION_AMBIGUOUS:
        parts.append(f"Name the enclosing ones too in the hunk's heading, as in: @@ ... @@ outer{SEPARATOR}{function}")
    return MisfitError(
        misfit,
        f"The patch '{misfit.patch}' does not fit {misfit.path}: hunk {hunk.number}, {where}.",
        why="\n".join(parts),
        next_step=hints.show_patch(misfit.patch),
    )


def nearest(block: tuple[str, ...], text: str) -> Nearest | None:
    """The lines of ``text`` that are most like ``block``, or None when none are similar."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    wanted = "\n".join(block)
    squeezed = "".join(wanted.split())
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    best_ratio, best_index = SIMILAR, -1
    for index in range(len(lines) - len(block) + 1):
        window = "\n".join(lines[index : index + len(block)])
        if "".join(window.split()) == squeezed:
            return Nearest(
                line=index + 1,
                lines=tuple(lines[index : index + len(block)]),
                blank_only=True,
            )
        matcher.set_seq1(window)
        if matcher.real_quick_ratio() <= best_ratio or matcher.quick_ratio() <= best_ratio:
            continue
        if (ratio := matcher.ratio()) > best_ratio:
            best_ratio, best_index = ratio, index
    if best_index < 0:
        return None
    return Nearest(line=best_index + 1, lines=tuple(lines[best_index : best_index + len(block)]), blank_only=False)


def _nearest_lines(block: tuple[str, ...], text: str) -> list[str]:
    found = nearest(block, text)
    if found is None:
        return ["Nothing in the file is similar to these lines."]
    note = " (only whitespace differs: tabs, spaces or the newline at the end)" if found.blank_only else ""
    shown = [line.replace("\t", "\\t") for line in found.lines] if found.blank_only else list(found.lines)
    return [f"Nearest in the file{note}:", *_numbered(found.line, tuple(shown))]


def _function_lines(path: str, heading: str, text: str) -> list[str]:
    """Where the named function is in this release."""
    source = lexer.scan(text)
    if not path.endswith(lexer.SUFFIXES) or source.problem:
        return []
    wanted = heading_path(heading)
    lines = [d.line + 1 for d in Outline(source).declarations() if d.path[-len(wanted) :] == wanted]
    name = SEPARATOR.join(wanted)
    if not lines:
        return [f"There is no {name} in the file."]
    return [f"{name} begins on line {', '.join(map(str, lines))}."]


def _numbered(first: int, lines: tuple[str, ...]) -> list[str]:
    return [f"  {number:>5} | {line}" for number, line in enumerate(lines, first)]
