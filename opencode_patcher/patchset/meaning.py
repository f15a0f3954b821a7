"""Whether inserted lines can do their job where they were placed. Pure.

A hunk may fit in text and names and still never run, or mean something else: a second ``case`` with the label of an
earlier one, a statement after a ``return``, a name that means something else there. TypeScript accepts most of this
silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from opencode_patcher.patchset.parse import ADDED, FileHunks
from opencode_patcher.patchset.place import Placed, added_lines, read_source
from opencode_patcher.patchset.typescript import lexer, modules, scope
from opencode_patcher.patchset.typescript.blocks import Blocks, Statement
from opencode_patcher.patchset.typescript.lexer import Source
from opencode_patcher.patchset.typescript.scope import Binding, Scope


@dataclass(frozen=True, kw_only=True, order=True)
class Flaw:
    """An insert that fits but cannot work. ``line`` counts from 1 in the patched file."""

    file: str
    line: int
    function: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function or 'the top level'}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class _Insert:
    """The added lines (from 0) of one hunk in the text after the patch."""

    lines: tuple[int, ...]
    function: str


def flaws(path: str, hunks: FileHunks, placed: Placed) -> tuple[Flaw, ...]:
    """What is wrong with the inserts of a patch in the file ``path``; empty when a hunk of it was not placed."""
    if placed.misfits or not path.endswith(lexer.SUFFIXES):
        return ()
    source, outline = read_source(placed.text)
    if outline is None:
        return ()
    inserts: list[_Insert] = []
    shift = 0
    for hunk, placement in zip(hunks.hunks, placed.placements, strict=True):
        inserts.append(_Insert(lines=tuple(added_lines(hunk, placement, shift)), function=placement.function))
        shift += 0 if placement.already else len(hunk.result) - len(hunk.source)
    added = "\n".join(line.text for hunk in hunks.hunks for line in hunk.lines if line.kind == ADDED)
    imported = [found.local for found in modules.imports(added)]
    reader = _Reader(source, Blocks(source), Scope(source, outline), inserts)
    return tuple(
        sorted(
            Flaw(file=path, line=line + 1, function=insert.function, what=what)
            for insert in inserts
            for line, what in (*reader.dead(insert), *reader.twice(insert), *reader.hidden(insert, imported))
        )
    )


class _Reader:
    """Checks the inserts of one file."""

    def __init__(self, source: Source, blocks: Blocks, names: Scope, inserts: Sequence[_Insert]) -> None:
        self._source = source
        self._blocks = blocks
        self._names = names
        self._added = {line for insert in inserts for line in insert.lines}

    def dead(self, insert: _Insert) -> Iterator[tuple[int, str]]:
        """Labels that the switch already has, and unreachable statements."""
        for opener in self._openers(insert):
            statements = self._blocks.statements(opener)
            if self._blocks.is_switch(opener):
                yield from self._labels(insert, statements)
            for before, after in pairwise(statements):
                # A different indentation is that of an `if` or `else` without braces.
                if not before.leaves or after.label or after.hoisted or before.indent != after.indent:
                    continue
                if after.line in insert.lines and before.line not in insert.lines:
                    yield after.line, f"it is never reached after line {before.line + 1}, which leaves the block"
                elif before.line in insert.lines and after.line not in self._added:
                    yield before.line, f"it leaves the block, so that line {after.line + 1} is never reached"

    def _labels(self, insert: _Insert, statements: Sequence[Statement]) -> Iterator[tuple[int, str]]:
        for statement in statements:
            if statement.line in insert.lines and statement.label:
                for other in statements:
                    if other.label == statement.label and other.line != statement.line:
                        yield statement.line, f"the switch already has '{statement.label}', on line {other.line + 1}"
                        break

    def twice(self, insert: _Insert) -> Iterator[tuple[int, str]]:
        """Names that the insert declares but that already mean something there."""
        for name in sorted(self._names.declared(insert.lines)):
            bindings = self._names.bindings(name)
            for own in bindings:
                if own.parameter or not self._is_in(own.offset, insert.lines):
                    continue
                if own.start and self._is_in(own.start, insert.lines):
                    continue  # within a function or a block of the insert
                for other in bindings:
                    if self._is_in(other.offset, insert.lines) or other.type_only != own.type_only:
                        continue
                    if other.start <= own.start and own.end <= other.end:
                        line = self._source.line_of(other.offset) + 1
                        yield (
                            self._source.line_of(own.offset),
                            f"it declares {name}, which line {line} already declares",
                        )

    def hidden(self, insert: _Insert, imported: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Imports of the patch that mean something else where the insert uses them."""
        for name in imported:
            lines = [line for line in insert.lines if name in scope.used(self._source, [line])]
            inner = [found for found in self._names.bindings(name) if self._is_local(found)] if lines else []
            for line in lines:
                at = self._source.starts[line] + self._source.code_line(line).index(name)
                for other in inner:
                    if other.start <= at <= other.end:
                        declared = self._source.line_of(other.offset) + 1
                        yield line, f"{name} is not the import there, but what line {declared} declares"

    def _openers(self, insert: _Insert) -> list[int]:
        """The upstream blocks around the inserted lines."""
        found: dict[int, None] = {}
        for line in insert.lines:
            code = self._source.code_line(line)
            if code.strip():
                opener = self._blocks.around(self._source.starts[line] + len(code) - len(code.lstrip()))
                if opener is not None and self._source.code[opener] == "{":
                    found[opener] = None
        return [opener for opener in found if not self._is_in(opener, self._added)]

    def _is_local(self, found: Binding) -> bool:
        return (found.start > 0 or found.parameter) and not self._is_in(found.offset, self._added)

    def _is_in(self, offset: int, lines: Sequence[int] | set[int]) -> bool:
        return self._source.line_of(offset) in lines
