"""JSON with comments and commas before a closing bracket, which is what OpenCode's configuration files are."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys and positions from the outermost value to an inner one."""

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|[{}\[\],:]|[^\s{}\[\],:"/]+', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One value in a text: where it is, the lines (from 1) and the span from its key to its end (``end`` is the offset
    behind it), and its content if it is text.
    """

    path: Path
    first: int
    last: int
    start: int
    end: int
    string: str | None = None


def loads(text: str) -> object:
    """The value of a text. Raises ValueError whose message ends with line and column of the mistake."""

    def refuse(name: str) -> object:
        raise ValueError(f"{name} is no JSON")

    try:
        return json.loads(_plain(text.removeprefix("\ufeff")), parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("It is nested too deeply") from error


def _plain(text: str) -> str:
    """The text with blanks for comments and superfluous commas, so that every other character keeps its place."""
    tokens = list(_TOKEN.finditer(text))
    parts, at = [], 0
    solid = [token for token in tokens if not token[0].startswith("/")]
    superfluous = {token.start() for token, after in itertools.pairwise(solid) if token[0] == "," and after[0] in "}]"}
    for token in tokens:
        if token[0].startswith("/") or token.start() in superfluous:
            parts += [text[at : token.start()], re.sub(r"[^\n]", " ", token[0])]
            at = token.end()
    return "".join([*parts, text[at:]])


@dataclass(kw_only=True)
class _Open:
    """An object or list whose end has not come yet. ``key`` is the next value's; ``line`` and ``at`` say where that
    key stands.
    """

    path: Path
    first: int
    start: int
    key: str | int | None
    line: int | None = None
    at: int = 0


def entries(text: str) -> Iterator[Entry]:
    """Every value in a text, inner ones before the one that holds them. A text that breaks off gives what it has."""
    stack: list[_Open] = []
    line, at = 1, 0
    for token in _TOKEN.finditer(text):
        word = token[0]
        line += text.count("\n", at, token.start())
        at = token.start()
        if word.startswith("/"):
            continue
        top = stack[-1] if stack else None
        if word == ",":
            if top:
                top.line = None
                top.key = top.key + 1 if isinstance(top.key, int) else None
        elif word in "}]":
            if stack:
                done = stack.pop()
                yield Entry(path=done.path, first=done.first, last=line, start=done.start, end=token.end())
        elif word == ":":
            continue
        elif top and top.key is None and word.startswith('"'):
            top.key, top.line, top.at = _string(word), line, at
        else:
            path = (*top.path, top.key) if top and top.key is not None else ()
            first, start = (top.line, top.at) if top and top.line is not None else (line, at)
            if word in "{[":
                stack.append(_Open(path=path, first=first, start=start, key=0 if word == "[" else None))
                continue
            string = _string(word) if word[0] == '"' else None
            yield Entry(path=path, first=first, last=line, start=start, end=token.end(), string=string)
    for left in reversed(stack):
        yield Entry(path=left.path, first=left.first, last=line, start=left.start, end=len(text))


def _string(word: str) -> str:
    try:
        return str(json.loads(word))
    except ValueError:
        return word[1:-1]
