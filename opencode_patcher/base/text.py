"""Text that somebody else wrote, made safe to show: in a terminal, in JSON, and without logins."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from unicodedata import category

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of what a terminal obeys or does not draw: controls (with ESC and C1), direction overrides and
zero-width characters, halves of surrogate pairs, line and paragraph separators.
"""

_LONGEST_NAME = 100
"""Comparing takes time with the square of the length."""

_LOGIN = re.compile(r"(://)[^/?#\s]*@")
"""User name and password in a URL (RFC 3986, 3.2). The last ``@`` counts: a password may hold one."""


def shown(text: str) -> str:
    """One line of text as it may go to a terminal: what cannot be seen is written as an escape, such as ``\\x1b``.

    A tab is kept, a line break is not: text of somebody else must not start a line of its own.
    """
    if text.isprintable():
        return text
    return "".join(_escape(char) if category(char) in _HIDDEN and char != "\t" else char for char in text)


def shown_lines(text: str) -> str:
    """``shown`` for text that may have several lines."""
    return "\n".join(shown(line.removesuffix("\r")) for line in text.split("\n"))


def json_shown(value: object, *, indent: int | None = 2) -> str:
    """``value`` as JSON that a terminal can show: letters stay readable, what cannot be seen is escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    # JSON has such characters only inside strings, so its own escapes keep it the same JSON.
    return "\n".join(
        line
        if line.isprintable()
        else "".join(json.dumps(char)[1:-1] if category(char) in _HIDDEN else char for char in line)
        for line in text.split("\n")
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question that names what of ``known`` looks most like ``name``; "" when nothing does."""
    from difflib import get_close_matches

    near = get_close_matches(name[:_LONGEST_NAME], list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else ""


def without_credentials(text: str) -> str:
    """``text`` in which URLs have lost user name and password."""
    return _LOGIN.sub(r"\1", text)


def _escape(char: str) -> str:
    code = ord(char)
    if char in "\n\r":
        return repr(char)[1:-1]
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
