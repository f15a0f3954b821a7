"""Which named declaration of a TypeScript file encloses a place: pure text and brackets, no grammar.

A declaration is a function, class, method, type or ``case`` block, a ``const`` at the top level, and a nested ``const``
or property whose value is a function. Anonymous callbacks, ``if`` blocks and plain object literals have no name and are
ignored.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from opencode_patcher.patchset.typescript.lexer import Source, scan

SEPARATOR = " > "
"""Separates the names of nested declarations, outermost first."""

_MODIFIER = r"export|default|declare|abstract|public|private|protected|static|readonly|override|async|get|set"
_MODIFIERS = rf"(?:(?:{_MODIFIER})\s+)*"
_NAMED = re.compile(rf"\s*{_MODIFIERS}(?:function\b\s*\*?|(?:class|enum|namespace|module)\s)\s*(?P<name>[\w$]+)")
_TYPE = re.compile(rf"\s*{_MODIFIERS}(?:interface|type)\s+(?P<name>[\w$]+)")
_VARIABLE = re.compile(rf"\s*{_MODIFIERS}(?:const|let|var)\s+(?P<name>[\w$]+)\s*[=:]")
_CASE = re.compile(r"\s*(?P<name>case\s.*?|default)\s*:\s*\{?\s*$")
_METHOD = re.compile(rf"\s*{_MODIFIERS}\*?\s*(?P<name>#?[\w$]+)\s*(?:<[^()]*>\s*)?\((?P<rest>.*)")
_PROPERTY = re.compile(rf"\s*{_MODIFIERS}(?P<name>#?[\w$]+|[\"'][^\"']*[\"'])\s*\??\s*[:=](?![=>])")
_BARE_NAME = re.compile(r"#?[\w$-]+|case\s[^:{]+")
_NO_METHODS = frozenset(
    {
        "await", "catch", "do", "else", "for", "function", "if", "import", "new", "return", "super", "switch",
        "throw", "typeof", "void", "while", "with", "yield",
    }
)  # fmt: skip
_IS_FUNCTION = re.compile(r"=>|\bfunction\b")
_ENDS_OPEN = re.compile(r"(?:=>|(?<![=!<>])=|\?\?|\|\||&&|\+|\bextends)\s*$")
_STARTS_INSIDE = re.compile(r"\s*(?:\.(?!\.\.)|\?(?!\?=)|:|\|\||\||&&|&|\+|=>|=|extends\b|implements\b)")


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A named construct. ``path`` are the names from the outermost to its own, ``line`` counts from 0."""

    path: tuple[str, ...]
    line: int

    @property
    def name(self) -> str:
        """The path in one string."""
        return SEPARATOR.join(self.path)


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """A pair of brackets that spans several lines, the pair around it, and the declaration it belongs to."""

    start: int
    end: int
    parent: _Frame | None
    declaration: Declaration | None


class Outline:
    """The nesting of a file's declarations. Make one per file; it reads the file once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._frames: list[_Frame] = []
        parent: _Frame | None = None
        for start, end in sorted(source.partner.items()):
            if end < start or source.line_of(start) == source.line_of(end):
                continue
            while parent is not None and parent.end < start:
                parent = parent.parent
            parent = _Frame(
                start=start,
                end=end,
                parent=parent,
                declaration=_declaration(source, start, parent.declaration if parent else None),
            )
            self._frames.append(parent)
        self._starts = [frame.start for frame in self._frames]

    def enclosing(self, offset: int) -> Declaration | None:
        """The innermost declaration that is still open at ``offset``; None at the top level of the file."""
        index = bisect_left(self._starts, offset) - 1
        frame = self._frames[index] if index >= 0 else None
        while frame is not None and frame.end < offset:
            frame = frame.parent
        return frame.declaration if frame else None

    def declarations(self) -> tuple[Declaration, ...]:
        """Every declaration that spans several lines, in the order of the file."""
        found = {frame.declaration: None for frame in self._frames if frame.declaration}
        return tuple(found)

    def named(self, path: tuple[str, ...]) -> tuple[Declaration, ...]:
        """The declarations whose path ends in ``path``."""
        return tuple(found for found in self.declarations() if found.path[-len(path) :] == path)

    def extents(self, path: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
        """The range (offsets) of each declaration whose path ends in ``path``: from its line to its last bracket."""
        return tuple(
            (
                self._source.starts[found.line],
                max(frame.end for frame in self._frames if frame.declaration == found) + 1,
            )
            for found in self.named(path)
        )


def heading_path(heading: str) -> tuple[str, ...]:
    """The names that a hunk's section heading gives.

    Each part is a declaration as in the code, or just its name: ``const a = f(`` is ``("a",)``, ``class A > run()`` and
    ``A > run`` are ``("A", "run")``, ``interface A {`` is ``("type A",)``. An empty heading is the top level, ``()``. A
    part that declares nothing gives "", which is no declaration's name.
    """
    if not heading.strip():
        return ()
    return tuple(_declared_name(part.strip()) for part in heading.strip().split(SEPARATOR))


def _declared_name(line: str) -> str:
    """The name that one line of code declares, or that it is; "" for none."""
    if _BARE_NAME.fullmatch(line):
        return line
    code = scan(line).code
    if match := _TYPE.match(code):
        return _type_name(match)
    if match := _NAMED.match(code) or _VARIABLE.match(code):
        return match.group("name")
    if match := _CASE.match(code):
        return line[match.start("name") : match.end("name")]
    match = _METHOD.match(code)
    if match is None or match.group("name") in _NO_METHODS:
        match = _PROPERTY.match(code)
    return line[match.start("name") : match.end("name")].strip("\"'") if match else ""


def _declaration(source: Source, start: int, around: Declaration | None) -> Declaration | None:
    """The declaration that the bracket at ``start`` belongs to; ``around`` when it declares nothing."""
    head = _head_line(source, start)
    if around is not None and around.line == head:
        return around
    name = _frame_name(source, head, start, nested=around is not None)
    return Declaration(path=(*(around.path if around else ()), name), line=head) if name else around


def _frame_name(source: Source, head: int, start: int, *, nested: bool) -> str:
    """The name that the construct from line ``head`` to its bracket declares; "" when it is anonymous."""
    begin = source.starts[head]
    code = source.code[begin:start]
    line = source.code_line(head)
    if match := _TYPE.match(line):
        return _type_name(match)
    if match := _NAMED.match(line):
        return match.group("name")
    if match := _VARIABLE.match(line):
        return match.group("name") if not nested or _IS_FUNCTION.search(code) else ""
    if (match := _CASE.match(line)) and source.code[start] == "{":
        return source.text[begin + match.start("name") : begin + match.end("name")]
    if (match := _METHOD.match(line)) and match.group("name") not in _NO_METHODS:
        return match.group("name") if _is_method(source, begin + match.start("rest") - 1, start) else ""
    if (match := _PROPERTY.match(line)) and _IS_FUNCTION.search(code[match.end() :]):
        return source.text[begin + match.start("name") : begin + match.end("name")].strip("\"'")
    return ""


def _type_name(match: re.Match[str]) -> str:
    """Types have their own namespace: ``const Info`` and ``type Info`` often stand in one file."""
    return f"type {match.group('name')}"


def _is_method(source: Source, parameters: int, start: int) -> bool:
    """Whether the bracket at ``start`` is the body (or the parameters) of a method whose parameters open at
    ``parameters``.
    """
    closing = source.partner.get(parameters)
    if closing is None:
        return False
    body = re.compile(r"\s*(?::[^;={}]*)?\{").match(source.code, closing + 1)
    return body is not None and start in (parameters, body.end() - 1)


def _head_line(source: Source, start: int) -> int:
    """The line on which the construct that holds the bracket at ``start`` begins.

    A line that begins with a closing bracket (``) {``, ``}).pipe(``) continues the construct that this bracket closes;
    one that begins with an operator, or follows a line that ends with one, continues the line above.
    """
    line = source.line_of(start)
    while line > 0:
        code = source.code_line(line)
        blank = _indentation(code)
        first = source.starts[line] + blank
        if code.lstrip()[:1] in tuple(")]}") and first in source.partner and first < start:
            line = source.line_of(source.partner[first])
            continue
        above = _line_above(source, line)
        if above is None:
            break
        if code.lstrip().startswith(">"):  # the end of type arguments that span several lines
            while above > 0 and _indentation(source.code_line(above)) > blank:
                above -= 1
        elif not _STARTS_INSIDE.match(code) and not _ENDS_OPEN.search(source.code_line(above)):
            break
        line = above
    return line


def continues(source: Source, line: int) -> bool:
    """Whether a line of code continues the statement of the line above it."""
    above = _line_above(source, line)
    if above is None:
        return False
    return bool(_STARTS_INSIDE.match(source.code_line(line)) or _ENDS_OPEN.search(source.code_line(above)))


def _indentation(code: str) -> int:
    return len(code) - len(code.lstrip())


def _line_above(source: Source, line: int) -> int | None:
    """The nearest line above with any code."""
    for above in range(line - 1, -1, -1):
        if source.code_line(above).strip():
            return above
    return None
