"""JSON with comments and trailing commas: OpenCode's configuration files, and bun.lock.

Reading takes time and memory in proportion to the length of the text, whatever it contains.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from opencode_patcher.base.documents import DEPTH_LIMIT, DocumentError

Path = tuple[str | int, ...]
"""Keys and positions from the outermost value to an inner one."""

_TOKEN = re.compile(
    r"""
      "(?:[^"\\\n]|\\.)*+"?       # an unclosed string ends with its line
    | //[^\n]*
    | /\*.*?(?:\*/|\Z)           # an unclosed comment ends with the text
    | [{}\[\],:]
    | [^\s{}\[\],:"/]+
    """,
    re.DOTALL | re.VERBOSE,
)
"""Each alternative consumes what it has looked at, so that no text is read twice."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One value in a text: where it is, the lines (from 1) and the span from its key to its end (``end`` is the offset
    after it), and its content if it is text.
    """

    path: Path
    first: int
    last: int
    start: int
    end: int
    string: str | None = None


def loads(text: str) -> object:
    """The value of a text. Raises ValueError whose message says what is wrong, with line and column if known."""

    def refuse(name: str) -> object:
        raise ValueError(f"{name} is not JSON")

    try:
        plain = _plain(text.removeprefix("\ufeff"))
    except DocumentError as error:
        raise ValueError(str(error).rstrip(".")) from error
    return json.loads(plain, parse_constant=refuse, parse_int=_integer)


def _integer(digits: str) -> int | float:
    """As in JavaScript, a number with very many digits becomes a floating-point number. Python would refuse some."""
    return int(digits) if len(digits) <= 20 else float(digits)


def _plain(text: str) -> str:
    """The text with comments and trailing commas blanked out, so that every other character keeps its place.

    Raises DocumentError for a text that is nested too deeply.
    """
    chars = list(text)
    depth, comma = 0, -1
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word.startswith("//") or (word.startswith("/*") and word.endswith("*/") and len(word) > 3):
            chars[token.start() : token.end()] = re.sub(r"[^\n]", " ", word)
            continue
        if word in ("{", "["):
            depth += 1
            if depth > DEPTH_LIMIT:
                raise DocumentError("It is nested too deeply.")
        elif word in ("}", "]"):
            depth -= 1
            if comma >= 0:
                chars[comma] = " "
        comma = token.start() if word == "," else -1
    return "".join(chars)


@dataclass(kw_only=True)
class _Open:
    """An object or list that is not closed yet. ``key`` is the key of the next value; ``line`` and ``at`` say where it
    is.
    """

    path: Path
    first: int
    start: int
    key: str | int | None
    line: int | None = None
    at: int = 0


def entries(text: str) -> Iterator[Entry]:
    """Every value in a text, inner ones before the value that contains them.

    For a text that is cut off or nested too deeply, the values up to that point.
    """
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
                if len(stack) == DEPTH_LIMIT:
                    break
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
