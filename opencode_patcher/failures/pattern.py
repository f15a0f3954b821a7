"""The table's patterns: a small part of regular expressions that Python and JavaScript read alike, in bounded time.

A pattern is parsed for three purposes: ``faults`` says why the table may not contain it, ``for_python`` translates it
so that Python's ``re`` matches what JavaScript matches, and ``least`` gives the length of its shortest match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

UNBOUNDED = 1000
"""How many repetitions ``cost`` assumes for ``*`` and ``+``."""

COST_LIMIT = 20_000
"""How many ways to match a text from one position a pattern may have. The worst in the table has less than half."""

LEAST_LETTERS = 3
"""A pattern that needs fewer matches almost anything. A Chinese, Japanese or Korean character counts as two."""

_ASCII = frozenset(map(chr, range(1, 127)))
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_DIGIT = frozenset("0123456789")
_SPACE = frozenset(" \t\n\r\f\v")
_OTHER = "\U0001f600"
"""Represents every character that the pattern does not mention."""

_SETS = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


class PatternError(ValueError):
    """A pattern cannot be parsed. The message is a sentence that says why."""


@dataclass(frozen=True)
class Chars:
    """One character of a set. ``python`` is the set in Python's syntax."""

    chars: frozenset[str]
    python: str


@dataclass(frozen=True)
class Place:
    """A position, which consumes no character: ``^``, ``$``, ``\\b``, or a lookahead."""

    python: str


@dataclass(frozen=True)
class Repeat:
    """``node``, repeated ``least`` to ``most`` times; ``most`` is None if unlimited."""

    node: Node
    least: int
    most: int | None


@dataclass(frozen=True)
class Sequence:
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    nodes: tuple[Node, ...]


Node = Chars | Place | Repeat | Sequence | Either


def faults(text: str) -> list[str]:
    """The reasons why ``text`` is not allowed in the table, a sentence each; empty if it is allowed."""
    try:
        node = parse(text)
    except PatternError as error:
        return [f"{error}"]
    found = [f"It may take exponential time: {why}" for why in _ambiguous(node)]
    if least(node) == 0:
        found.append("It matches any text, also an empty one.")
    elif _weight(node) < LEAST_LETTERS:
        found.append(f"It matches almost any text: it needs fewer than {LEAST_LETTERS} letters.")
    if not found and (paths := cost(node)) > COST_LIMIT:
        found.append(f"It may take too long: {paths:.0f} ways to read a text from one place, {COST_LIMIT} at most.")
    return found


def for_python(text: str) -> str:
    """``text`` for Python's ``re`` with IGNORECASE: ``\\w``, ``\\d``, ``\\b`` and ``.`` mean the same as in JavaScript.

    Raises:
        PatternError: the pattern cannot be parsed.
    """
    return _written(parse(text))


def parse(text: str) -> Node:
    """The pattern as a tree. Raises PatternError for syntax outside the subset."""
    reader = _Reader(text)
    node = reader.either()
    if reader.at < len(text):
        raise PatternError(f"The bracket at {reader.at + 1} closes nothing.")
    return node


def least(node: Node) -> int:
    """The length of the shortest match, in characters."""
    match node:
        case Chars():
            return 1
        case Place():
            return 0
        case Repeat():
            return node.least * least(node.node)
        case Sequence():
            return sum(map(least, node.nodes))
        case Either():
            return min(map(least, node.nodes))


def _weight(node: Node) -> int:
    """``least``, counting only significant letters: a set of many characters does not count."""
    match node:
        case Chars():
            return 0 if len(node.chars) > 20 else 2 if min(node.chars) > "\x7f" else 1
        case Place():
            return 0
        case Repeat():
            return node.least * _weight(node.node)
        case Sequence():
            return sum(map(_weight, node.nodes))
        case Either():
            return min(map(_weight, node.nodes))


def cost(node: Node) -> float:
    """In how many ways the pattern can match a text from one position: what backtracking may have to try."""
    match node:
        case Chars() | Place():
            return 1
        case Repeat():
            most = UNBOUNDED if node.most is None else node.most
            return (most - node.least + 1) * cost(node.node)
        case Sequence():
            product = 1.0
            for item in node.nodes:
                product *= cost(item)
            return product
        case Either():
            return max(map(cost, node.nodes)) if node.nodes else 1


def _ambiguous(node: Node) -> Iterator[str]:
    """A repeated group is ambiguous if its alternatives start alike, or repeat something themselves."""
    match node:
        case Repeat():
            inner = node.node
            if not isinstance(inner, Chars) and (node.most is None or node.most > 1):
                if _repeats(inner):
                    yield "a repeated group repeats something itself."
                elif least(inner) == 0:
                    yield "a repeated group may be empty."
                elif isinstance(inner, Either) and not _disjoint(inner):
                    yield "alternatives of a repeated group begin alike."
            yield from _ambiguous(inner)
        case Sequence() | Either():
            for item in node.nodes:
                yield from _ambiguous(item)


def _repeats(node: Node) -> bool:
    match node:
        case Repeat():
            return node.least != node.most or _repeats(node.node)
        case Sequence() | Either():
            return any(map(_repeats, node.nodes))
    return False


def _disjoint(node: Either) -> bool:
    seen: set[str] = set()
    for item in node.nodes:
        first = _first(item)
        if seen & first:
            return False
        seen |= first
    return True


def _first(node: Node) -> frozenset[str]:
    match node:
        case Chars():
            return node.chars
        case Place():
            return frozenset()
        case Repeat():
            return _first(node.node)
        case Either():
            return frozenset().union(*map(_first, node.nodes))
        case Sequence():
            found: frozenset[str] = frozenset()
            for item in node.nodes:
                found |= _first(item)
                if least(item):
                    break
            return found


def _written(node: Node) -> str:
    match node:
        case Chars() | Place():
            return node.python
        case Sequence():
            return "".join(map(_written, node.nodes))
        case Either():
            return f"(?:{'|'.join(map(_written, node.nodes))})"
        case Repeat():
            inner = _written(node.node)
            if isinstance(node.node, Sequence):
                inner = f"(?:{inner})"
            return f"{inner}{{{node.least},{'' if node.most is None else node.most}}}"


_EDGE = "(?:(?<![A-Za-z0-9_])(?=[A-Za-z0-9_])|(?<=[A-Za-z0-9_])(?![A-Za-z0-9_]))"
_CLASSES = {
    "d": "[0-9]",
    "w": "[A-Za-z0-9_]",
    "s": "[ \\t\\n\\r\\f\\v\\xa0\\ufeff\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]",
}


class _Reader:
    """A recursive descent parser."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.all = _ASCII | frozenset(text) | {_OTHER}

    def either(self) -> Node:
        nodes = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            nodes.append(self.sequence())
        return nodes[0] if len(nodes) == 1 else Either(tuple(nodes))

    def sequence(self) -> Node:
        nodes: list[Node] = []
        while (char := self.peek()) and char not in "|)":
            nodes.append(self.repeated(self.atom()))
        return nodes[0] if len(nodes) == 1 else Sequence(tuple(nodes))

    def repeated(self, node: Node) -> Node:
        char = self.peek()
        if counted := re.compile(r"\{(\d{1,3})(,(\d{0,3}))?\}").match(self.text, self.at):
            self.at = counted.end()
            low = int(counted[1])
            most = low if counted[2] is None else int(counted[3]) if counted[3] else None
        elif char and char in "?*+":
            self.at += 1
            low, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}[char]
        else:
            return node
        if isinstance(node, Place):
            raise PatternError(f"At {self.at} something is repeated that takes no character.")
        if most is not None and most < low:
            raise PatternError(f"At {self.at} the largest count is less than the smallest.")
        if self.peek() in ("?", "*", "+"):
            raise PatternError(f"At {self.at + 1} a repetition is repeated.")
        return Repeat(node, low, most)

    def atom(self) -> Node:
        char = self.next()
        match char:
            case "(":
                return self.group()
            case "[":
                return self.characters()
            case "\\":
                return self.escape()
            case ".":
                return Chars(self.all - frozenset("\n\r\u2028\u2029"), "[^\\n\\r\\u2028\\u2029]")
            case "^":
                return Place("\\A")
            case "$":
                return Place("\\Z")
            case "*" | "+" | "?" | "{" | "}" | "]":
                raise PatternError(f"'{char}' at {self.at} stands behind nothing; a plain one is written \\{char}.")
        return Chars(frozenset((char.lower(), char.upper())), re.escape(char))

    def group(self) -> Node:
        start = self.at
        ahead = ""
        if self.text.startswith("?:", self.at):
            self.at += 2
        elif self.text.startswith(("?!", "?="), self.at):
            ahead = self.text[self.at : self.at + 2]
            self.at += 2
        elif self.peek() == "?":
            raise PatternError(f"The group at {start} is of a kind that is not allowed.")
        node = self.either()
        if self.peek() != ")":
            raise PatternError(f"The bracket at {start} is not closed.")
        self.at += 1
        if ahead:
            return Place(f"({ahead}{_written(node)})")
        # Kept together, so that a repetition after the group repeats all of it, not just its last part.
        return node if isinstance(node, Either | Chars) else Sequence((node,))

    def escape(self) -> Node:
        char = self.next()
        if char.lower() in _SETS:
            chars, written = _SETS[char.lower()], _CLASSES[char.lower()]
            return Chars(chars, written) if char.islower() else Chars(self.all - chars, written.replace("[", "[^", 1))
        if char == "b":
            return Place(_EDGE)
        if char in _CONTROL:
            return Chars(frozenset(_CONTROL[char]), f"\\{char}")
        if char.isalnum():
            raise PatternError(f"\\{char} at {self.at - 1} is not allowed.")
        return Chars(frozenset(char), re.escape(char))

    def characters(self) -> Node:
        start = self.at
        negative = self.peek() == "^"
        self.at += negative
        found: set[str] = set()
        written: list[str] = []
        while (char := self.next("[")) != "]":
            if char == "\\":
                char = self.next("[")
                if char.lower() in _SETS:
                    if char.isupper():
                        raise PatternError(f"\\{char} at {self.at} is not allowed inside brackets.")
                    found |= _SETS[char]
                    written.append(_CLASSES[char][1:-1])
                    continue
                char = _CONTROL.get(char, char)
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                end = self.next("[")
                if end == "\\" or ord(end) < ord(char) or ord(end) - ord(char) > 1000:
                    raise PatternError(f"The range at {self.at} cannot be read.")
                found |= {other for code in range(ord(char), ord(end) + 1) for other in _cases(chr(code))}
                written.append(f"{re.escape(char)}-{re.escape(end)}")
                continue
            found |= _cases(char)
            written.append(re.escape(char))
        if not written:
            raise PatternError(f"The brackets at {start} hold nothing.")
        chars = self.all - found if negative else frozenset(found)
        return Chars(chars, f"[{'^' if negative else ''}{''.join(written)}]")

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def next(self, opened: str = "") -> str:
        char = self.peek()
        if not char:
            raise PatternError(f"It ends inside of '{opened}'." if opened else "It ends in the middle.")
        self.at += 1
        return char


def _cases(char: str) -> set[str]:
    return {char, char.lower(), char.upper()}
