"""Which names some lines of TypeScript use, and whether a name is declared at a place. Pure, by patterns.

When in doubt, a name counts as declared: one from an unnamed block nearby counts although it may be out of scope.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from opencode_patcher.patchset.typescript.lexer import Source
from opencode_patcher.patchset.typescript.outline import Outline

_NAME = re.compile(r"(?:(?<=\.\.\.)|(?<![\w$.#@]))(?!\$\{)[A-Za-z_$](?:\w|\$(?!\{))*")
_KNOWN_FILE = Path(__file__).with_name("words.toml")

_DECLARES = re.compile(
    r"(?:(?<![.\w$])(?:const|let|var|class|enum|namespace|interface|type|import)|\bfunction\b\s*\*?|^import\b.*\bas)\s*\Z",
    re.MULTILINE,
)
_DESTRUCTURES = re.compile(r"\b(?:const|let|var|import|import\s+type)\s+(?:[\w$]+\s*,\s*)?$")
_BODY_FOLLOWS = re.compile(r"\s*(?::[^=;{}]*)?(?:=>|\{)")
_BODY = re.compile(r"\s*(?::[^=;{}]*)?(?:=>\s*)?\{")
_ARROW = re.compile(r"\s*(?::[^=;{}]*)?=>")
_LABEL = re.compile(r"\b(?:case\b[^\n:]*|default)\s*:\s*$")
_IN_OBJECT = re.compile(r"[(,{\[]\s*$|[\w$\"']\s*\??\s*:\s*$")
_TYPE_ONLY = re.compile(r"\b(?:interface|type)\s+$")
_IMPORTS = re.compile(r"(?:\bimport\s+|[{,]\s*)$")
_IMPORTED = re.compile(r"\s+(?!from\b)[\w$]|\s*[{*]")
"""What follows the word ``type`` where only a type is imported: ``import type { A }``, ``import { type A }``."""

_PARAMETER_STARTS = re.compile(r"[(,{\[]\s*(?:\.\.\.\s*)?$|\basync\s+$")


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A place where a name is declared, and the range of the file (offsets) in which it has that meaning.

    ``parameter`` is one of a function or a ``catch``; ``type_only`` is a type or an interface, whose name may be a
    value's as well.
    """

    offset: int
    start: int
    end: int
    parameter: bool
    type_only: bool


@cache
def _known() -> frozenset[str]:
    """The names that every file knows; see the data file."""
    words = tomllib.loads(_KNOWN_FILE.read_text(encoding="utf-8"))
    return frozenset(word for text in words.values() for word in text.split())


def used(source: Source, lines: Iterable[int]) -> frozenset[str]:
    """The names that the lines (indices from 0) use, without members, keys and the language's own words."""
    found: set[str] = set()
    for line in lines:
        start = source.starts[line]
        for match in _NAME.finditer(source.code_line(line)):
            name, offset = match.group(), start + match.start()
            if name not in _known() and not _is_key(source.code, offset, offset + len(name)):
                found.add(name)
    return frozenset(found)


class Scope:
    """Tells for one file whether a name is declared at a place."""

    def __init__(self, source: Source, outline: Outline) -> None:
        self._source = source
        self._outline = outline
        self._openers = sorted(start for start, end in source.partner.items() if start < end)

    def reaches(self, name: str, within: tuple[str, ...]) -> bool:
        """Whether ``name`` is declared, imported or a parameter in the file or in a function of the path ``within``."""
        for offset in self._bindings(name):
            declaration = self._outline.enclosing(offset)
            path = declaration.path if declaration else ()
            # A function's parameters may count as inside or outside of it, depending on how many lines they take.
            if path == within[: len(path)]:
                return True
        return False

    def declares(self, name: str, lines: Iterable[int]) -> bool:
        """Whether one of the lines (indices from 0) declares ``name``."""
        wanted = set(lines)
        return any(self._source.line_of(offset) in wanted for offset in self._bindings(name))

    def declared(self, lines: Iterable[int]) -> frozenset[str]:
        """The names that the lines (indices from 0) declare."""
        return frozenset(
            match.group()
            for line in lines
            for match in _NAME.finditer(self._source.code_line(line))
            if _binds(
                self._source,
                self._openers,
                self._source.starts[line] + match.start(),
                self._source.starts[line] + match.end(),
            )
        )

    def bindings(self, name: str) -> tuple[Binding, ...]:
        """Every declaration of ``name`` in the file."""
        return tuple(self._binding(offset) for offset in self._bindings(name))

    def _binding(self, offset: int) -> Binding:
        code = self._source.code
        before = code[max(offset - 200, 0) : offset]
        start, end = self._extent(offset)
        return Binding(
            offset=offset,
            start=start,
            end=end,
            parameter=start < offset < end and code[start : start + 1] == "(",
            type_only=_TYPE_ONLY.search(before) is not None,
        )

    def _extent(self, offset: int) -> tuple[int, int]:
        """The block that a name declared at ``offset`` belongs to, or its parameters with the function's body."""
        source = self._source
        around = _around(source, self._openers, offset)
        while around is not None:
            end = source.partner[around]
            if source.code[around] == "(":
                if body := _BODY.match(source.code, end + 1):
                    return around, source.partner.get(body.end() - 1, len(source.code))
                if _ARROW.match(source.code, end + 1):  # the body is an expression
                    outer = _around(source, self._openers, around)
                    return around, len(source.code) if outer is None else source.partner[outer]
            elif source.code[around] == "{" and _opens_block(source.code[max(around - 200, 0) : around]):
                return around, end
            around = _around(source, self._openers, around)
        return 0, len(source.code)

    def _bindings(self, name: str) -> Iterator[int]:
        # Searching for the plain name is far faster than for a pattern with conditions around it.
        for match in re.finditer(re.escape(name), self._source.code):
            if _stands_alone(self._source.code, match) and _binds(self._source, self._openers, *match.span()):
                yield match.start()


def _stands_alone(code: str, match: re.Match[str]) -> bool:
    """Whether a match is a whole name, not a member of something."""
    before, after = code[max(match.start() - 3, 0) : match.start()], code[match.end() : match.end() + 1]
    if after.isalnum() or after in tuple("_$"):
        return False
    return before == "..." or not (before[-1:].isalnum() or before[-1:] in tuple("_$."))


def _is_key(code: str, start: int, end: int) -> bool:
    if not re.match(r"\s*\??\s*:", code[end : end + 80]):
        return False
    before = code[max(start - 200, 0) : start].rstrip()
    return before[-1:] in ("", "{", ",", "(", ";") or "\n" in code[max(start - 200, 0) : start][len(before) :]


def _binds(source: Source, openers: list[int], start: int, end: int) -> bool:
    code = source.code
    before = code[max(start - 200, 0) : start]
    if code[start:end] == "type" and _IMPORTS.search(before) and _IMPORTED.match(code, end):
        return False
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


def _opens_block(before: str) -> bool:
    """Whether a brace after this code opens a block, not an object or a destructuring pattern."""
    if _LABEL.search(before):
        return True
    return _DESTRUCTURES.search(before) is None and _IN_OBJECT.search(before) is None


def _around(source: Source, openers: list[int], offset: int) -> int | None:
    """The offset of the innermost opening bracket around ``offset``."""
    for index in range(bisect_right(openers, offset - 1) - 1, -1, -1):
        if source.partner[openers[index]] >= offset:
            return openers[index]
    return None
