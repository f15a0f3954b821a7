"""Somebody else's text cannot steer a terminal, and is still readable."""

from __future__ import annotations

import json

import pytest

from opencode_patcher.base.text import json_shown, shown, shown_lines, without_credentials


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, grün, 漢字, 🙂", "plain, grün, 漢字, 🙂"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\x9b31mb", "a\\x9b31mb"),
        ("a\u202eb\u2066c\u200fd\u061ce", "a\\u202eb\\u2066c\\u200fd\\u061ce"),
        ("a\u200bb\ufeffc", "a\\u200bb\\ufeffc"),
        ("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d"),
        ("one\ntwo\rthree", "one\\ntwo\\rthree"),
        ("half \ud800 a pair", "half \\ud800 a pair"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_invisible_characters_are_shown_as_escapes(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_line_breaks_are_kept_where_several_lines_are_allowed() -> None:
    assert shown_lines("one\r\ntwo\x1b[2J\n") == "one\ntwo\\x1b[2J\n"


def test_escaped_json_has_the_same_value() -> None:
    value = {"naïve\u202e": ["\x1b[31m", "\u2028", "half \ud800", "\U000e0041", "grün"]}
    text = json_shown(value)
    assert json.loads(text) == value
    assert "grün" in text
    assert shown_lines(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://me:secret@host/x", "https://host/x"),
        ("from https://me:p@ss@host/x and http://two@host2", "from https://host/x and http://host2"),
        ("https://host/path?mail=me@host", "https://host/path?mail=me@host"),
        ("git@github.com:me/x", "git@github.com:me/x"),
    ],
)
def test_logins_are_removed_from_urls(text: str, expected: str) -> None:
    assert without_credentials(text) == expected
