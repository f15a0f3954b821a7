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
def test_what_cannot_be_seen_is_shown_as_an_escape(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_lines_stay_lines_where_several_are_wanted() -> None:
    assert shown_lines("one\r\ntwo\x1b[2J\n") == "one\ntwo\\x1b[2J\n"


def test_json_stays_the_same_json() -> None:
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
def test_urls_lose_their_login(text: str, expected: str) -> None:
    assert without_credentials(text) == expected
