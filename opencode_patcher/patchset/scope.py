"""Which names some lines of TypeScript use, and whether a name means something at a place. Pure, by patterns.

Errs on the side of "it is there": a name that is declared in an unnamed block nearby counts, although it may not reach.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from opencode_patcher.patchset.lexer import Source
from opencode_patcher.patchset.outline import Outline

_NAME = re.compile(r"(?<![\w$.#@])[A-Za-z_$][\w$]*")
_WORDS = frozenset(
    "abstract any as async await boolean break case catch class const continue debugger declare default delete do else "
    "enum export extends false finally for from function get if implements import in infer instanceof interface is "
    "keyof let never new null number object of override private protected public readonly return satisfies set static "
    "string super switch symbol this throw true try type typeof undefined unknown var void while with yield".split()
)
_GLOBALS = frozenset(
    "AbortController AbortSignal Array Boolean Bun Buffer Date Error Infinity JSON Map Math NaN Number Object Promise "
    "Record Partial Pick Omit Readonly ReadonlyArray RegExp Set String Symbol URL WeakMap clearTimeout console fetch "
    "globalThis isNaN parseFloat parseInt process queueMicrotask setTimeout structuredClone".split()
)
"""Names that no module declares: ECMAScript's, and those that bun adds."""

_DECLARES = re.compile(r"(?:\b(?:const|let|var|class|enum|namespace|interface|type|import)|\bfunction\b\s*\*?)\s*$")
_DESTRUCTURES = re.compile(r"\b(?:const|let|var|import|import\s+type)\s+(?:[\w$]+\s*,\s*)?$")
_BODY_FOLLOWS = re.compile(r"\s*(?::[^=;{}]*)?(?:=>|\{)")
_PARAMETER_STARTS = re.compile(r"[(,{\[]\s*(?:\.\.\.\s*)?$|\basync\s+$")


def used(source: Source, lines: Iterable[int]) -> frozenset[str]:
    """The names that the lines (indices from 0) use, without members, keys and the language's own words."""
    found: set[str] = set()
    for line in lines:
        start = source.starts[line]
        for match in _NAME.finditer(source.code_line(line)):
            name, offset = match.group(), start + match.start()
            if name not in _WORDS and name not in _GLOBALS and not _is_key(source.code, offset, offset + len(name)):
                found.add(name)
    return frozenset(found)


def bound(source: Source, outline: Outline, name: str, within: tuple[str, ...]) -> bool:
    """Whether ``name`` is declared, imported or a parameter in the file or in a function of the path ``within``."""
    openers = _openers(source)
    for match in _occurrences(source, name):
        if _binds(source, openers, match.start(), match.end()):
            declaration = outline.enclosing(match.start())
            path = declaration.path if declaration else ()
            # A function's parameters may count as outside of it or inside, depending on how many lines they take.
            if path == within[: len(path)]:
                return True
    return False


def bound_in(source: Source, name: str, lines: Iterable[int]) -> bool:
    """Whether one of the lines (indices from 0) declares ``name``."""
    wanted = set(lines)
    openers = _openers(source)
    return any(
        source.line_of(match.start()) in wanted and _binds(source, openers, match.start(), match.end())
        for match in _occurrences(source, name)
    )


def _occurrences(source: Source, name: str) -> Iterator[re.Match[str]]:
    return re.finditer(rf"(?<![\w$.]){re.escape(name)}(?![\w$])", source.code)


def _openers(source: Source) -> list[int]:
    return sorted(start for start, end in source.partner.items() if start < end)


def _is_key(code: str, start: int, end: int) -> bool:
    if not re.match(r"\s*\??\s*:", code[end : end + 80]):
        return False
    before = code[max(start - 200, 0) : start].rstrip()
    return before[-1:] in ("", "{", ",", "(", ";") or "\n" in code[max(start - 200, 0) : start][len(before) :]


def _binds(source: Source, openers: list[int], start: int, end: int) -> bool:
    code = source.code
    before = code[max(start - 200, 0) : start]
    if _DECLARES.search(before) or re.match(r"\s*=>", code[end : end + 20]):
        return True
    if (
        re.search(r"\bas\s+$", before) is None
        and _is_key(code, start, end)
        and not _is_parameter(source, openers, start)
    ):
        return False
    around = _around(source, openers, start)
    if around is not None and code[around] in "{[":
        head = code[max(around - 200, 0) : around]
        if _DESTRUCTURES.search(head):
            return True
        return _PARAMETER_STARTS.search(head) is not None and _is_parameter(source, openers, around)
    return _is_parameter(source, openers, start)


def _is_parameter(source: Source, openers: list[int], start: int) -> bool:
    """Whether a parameter of a function begins at ``start``."""
    around = _around(source, openers, start)
    if around is None or source.code[around] != "(":
        return False
    if not _PARAMETER_STARTS.search(source.code[max(start - 200, 0) : start]):
        return False
    return _BODY_FOLLOWS.match(source.code, source.partner[around] + 1) is not None


def _around(source: Source, openers: list[int], offset: int) -> int | None:
    """The offset of the innermost opening bracket around ``offset``."""
    for index in range(bisect_right(openers, offset - 1) - 1, -1, -1):
        if source.partner[openers[index]] >= offset:
            return openers[index]
    return None
