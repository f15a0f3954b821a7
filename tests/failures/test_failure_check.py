"""Rows that must not get into the table, and patterns that must not either."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base.errors import UsageError
from opencode_patcher.failures import check, classify, pattern

GOOD = {
    "id": '"acme-spent"',
    "vendor": '"Acme"',
    "code": '["acme_spent"]',
    "class": '"quota"',
    "scope": '"plan"',
    "source": '"https://example.invalid/1"',
    "date": '"2026-01-31"',
    "example": '{ status = 418, body = \'{"error":{"code":"acme_spent"}}\' }',
}


def row(**changes: str | None) -> str:
    fields = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return "[[failure]]\n" + "".join(f"{name} = {value}\n" for name, value in fields.items())


def told(*rows: str) -> str:
    return "\n".join(f"{fault.line}: {fault.what}" for fault in check.check("\n".join(rows)))


def test_a_good_row_passes() -> None:
    assert told(row()) == ""


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"code": None}, "matches everything"),
        ({"code": None, "status": "[" + ", ".join(map(str, range(400, 430))) + "]"}, "almost everything"),
        ({"code": '["e"]'}, "almost everything"),
        ({"words": '{ en = ["x*"] }'}, "matches any text"),
        ({"words": '{ en = [".."] }'}, "almost any text"),
        ({"words": '{ en = ["(a+)+$"] }'}, "exponential"),
        ({"words": '{ en = ["(abc|ab)*d quota"] }'}, "exponential"),
        ({"words": '{ en = ["[^x]*[^y]*[^z]* quota"] }'}, "too long"),
        ({"words": '{ en = ["(quota"] }'}, "not closed"),
        ({"words": "{ en = ['(?<=x)quota'] }"}, "not allowed"),
        ({"class": '"flu"'}, "not a class"),
        ({"class": '"unknown"'}, "not a class"),
        ({"scope": '"world"'}, "not a scope"),
        ({"class": '"history"'}, "without goes with"),
        ({"zone": '"Beijing"'}, "+08:00"),
        ({"time": '["body"]'}, "not a place"),
        ({"date": '"yesterday"'}, "date must be"),
        ({"source": '"my notes"'}, "source must be"),
        ({"status": '["429"]'}, "status must be"),
        ({"colour": '"red"'}, "not a field"),
        ({"vendor": None}, "has no vendor"),
        ({"example": "{ status = 418, body = 'no' }"}, "decided by status"),
        ({"example": "{ event = 'no' }"}, "not valid JSON"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(changes: dict[str, str | None], what: str) -> None:
    found = told(row(id='"first"'), row(code=None, status="[499]", example="{ status = 499 }"), row(**changes))
    if what == "decided by status":
        found = re.sub("decided by [a-z-]+", "decided by status", found)
    assert what in found
    assert any(line.startswith("21: ") for line in found.splitlines())


def test_two_rows_that_fight_are_refused() -> None:
    other = row(id='"other"', **{"class": '"auth"'})
    assert "It fights with acme-spent on line 1" in told(row(), other)
    assert "It fights" not in told(row(), row(id='"other"'))
    general = row(id='"general"', code=None, status="[418]", example="{ status = 418 }")
    assert "its example is decided by general" in told(general, other).lower()


def test_a_file_that_is_not_a_table_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.toml"
    for text, what in (("[[failure]", "rows.toml:1: It is not valid TOML"), ("a = 1", "no [[failure]] rows")):
        file.write_text(text)
        assert run(["failures", "check", str(file)]) == UsageError.exit_code
        assert what in capsys.readouterr().err
    file.write_text(row())
    assert run(["failures", "check", str(file)]) == 0


def test_a_pattern_means_the_same_as_in_javascript() -> None:
    for text, says, silent in (
        (r"\bquota\b", "a quota.", "aquotab"),
        (r"quota\b", "quotaé", "quotas"),
        (r"\d{2} quotas", "12 quotas", "\uff11\uff12 quotas"),
        (r"quota.over", "quota over", "quota\u2028over"),
        (r"no (?:more )?quota", "No quota", "no less quota"),
    ):
        found = re.compile(pattern.for_python(text), re.IGNORECASE)
        assert found.search(says)
        assert not found.search(silent)


def test_a_hostile_text_comes_to_its_end() -> None:
    """What would hang here hangs the suite: the bound is that of pytest, not a time that a slow machine misses."""
    for piece in ("a ", "quota ", "model limit ", "。超", "[0]", "(" * 4, "input tokens "):
        body = piece * (100_000 // len(piece))
        assert classify.fault({"statusCode": 400, "responseBody": body}, now=0).kind
