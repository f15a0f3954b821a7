"""Makes text from elsewhere safe to show: in a terminal, in JSON, and without credentials."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from unicodedata import category

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that a terminal acts on or does not draw: controls (with ESC and C1), direction overrides and
zero-width characters, halves of surrogate pairs, line and paragraph separators.
"""

_LONGEST_NAME = 100
"""The time to compare grows with the square of the length."""

_LOGIN = re.compile(r"(://)[^/?#\s]*@")
"""User name and password in a URL (RFC 3986, 3.2). The last ``@`` counts: a password may contain one."""


def shown(text: str) -> str:
    """One line of text, safe for a terminal: invisible characters are written as escapes, such as ``\\x1b``.

    Tabs are kept. Line breaks are not: text from elsewhere must not start a line of its own.
    """
    if text.isprintable():
        return text
    return "".join(_escape(char) if category(char) in _HIDDEN and char != "\t" else char for char in text)


def shown_lines(text: str) -> str:
    """``shown`` for text that may have several lines."""
    return "\n".join(shown(line.removesuffix("\r")) for line in text.split("\n"))


def brief(text: str) -> str:
    """What somebody typed, short enough to be repeated in a message."""
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"


def json_shown(value: object, *, indent: int | None = 2) -> str:
    """``value`` as JSON that a terminal can show: letters stay readable, invisible characters are escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    # JSON has such characters only inside strings, so JSON's own escapes do not change its meaning.
    return "\n".join(
        line
        if line.isprintable()
        else "".join(json.dumps(char)[1:-1] if category(char) in _HIDDEN else char for char in line)
        for line in text.split("\n")
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question that suggests the name in ``known`` that is most like ``name``; "" when none is."""
    from difflib import get_close_matches

    near = get_close_matches(name[:_LONGEST_NAME], list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else ""


def without_credentials(text: str) -> str:
    """``text`` with user names and passwords removed from URLs."""
    return _LOGIN.sub(r"\1", text)


def _escape(char: str) -> str:
    code = ord(char)
    if char in "\n\r":
        return repr(char)[1:-1]
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
