"""The statements of a block, the labels of a switch, and how far a name reaches: by brackets and line starts. Pure.

Good enough for formatted code, where each statement starts on its own line.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from opencode_patcher.patchset.typescript.lexer import Source
from opencode_patcher.patchset.typescript.outline import continues

_LABEL = re.compile(r"\s*(?:case\b(?P<value>[^:]*)|(?P<default>default)\s*):")
_LEAVES = re.compile(r"\s*(?:return|throw|break|continue)\b")
_HOISTED = re.compile(r"\s*(?:export\s+)?(?:async\s+)?(?:function|class|type|interface)\b")
_SWITCH = re.compile(r"\bswitch\s*$")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement, or a label of a switch, by the line (from 0) on which it begins.

    ``label`` is the text of the last label before it on that line (``case "a"``, ``default``). ``leaves`` means that
    control never continues after it: return, throw, break, continue.
    """

    line: int
    indent: int
    label: str
    leaves: bool
    hoisted: bool


class Blocks:
    """The nesting of one file's brackets."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._openers = sorted(start for start, end in source.partner.items() if start < end)

    def around(self, offset: int) -> int | None:
        """The offset of the innermost opening bracket around ``offset``; None at the top level."""
        for index in range(bisect_right(self._openers, offset - 1) - 1, -1, -1):
            if self._source.partner[self._openers[index]] >= offset:
                return self._openers[index]
        return None

    def is_switch(self, opener: int) -> bool:
        """Whether a brace opens the body of a ``switch``."""
        before = self._source.code[:opener].rstrip()
        if not before.endswith(")"):
            return False
        return _SWITCH.search(self._source.code[: self._source.partner[len(before) - 1]]) is not None

    def statements(self, opener: int) -> tuple[Statement, ...]:
        """The statements and labels directly in the block that a brace opens, in the order of the file."""
        return tuple(self._statement(line) for line in self._heads(opener))

    def _heads(self, opener: int) -> Iterator[int]:
        source = self._source
        end = source.partner[opener]
        offset = opener + 1
        while offset < end:
            index = bisect_left(self._openers, offset)
            nested = self._openers[index] if index < len(self._openers) else end
            stop = min(nested, end)
            first = bisect_left(source.starts, offset)
            for line in range(first, bisect_right(source.starts, stop)):
                code = source.code_line(line)
                begin = source.starts[line] + len(code) - len(code.lstrip())
                if begin > stop or begin >= end or not code.strip() or source.text_around(line):
                    continue
                if not continues(source, line):
                    yield line
            offset = source.partner[nested] + 1 if nested < end else end

    def _statement(self, line: int) -> Statement:
        code = self._source.code_line(line)
        position, label = 0, ""
        while match := _LABEL.match(code, position):
            start = self._source.starts[line]
            value = self._source.text[start + match.start("value") : start + match.end("value")].strip()
            label = "default" if match.group("default") else f"case {value}".replace("'", '"')
            position = match.end()
        return Statement(
            line=line,
            indent=len(code) - len(code.lstrip()),
            label=label,
            leaves=_LEAVES.match(code, position) is not None,
            hoisted=_HOISTED.match(code, position) is not None,
        )
