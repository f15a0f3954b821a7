"""``opencode-patcher failures explain`` and ``attempts --unknown``, as a user sees them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.attempts import log
from tests.attempts.attempt_samples import line

IN_TWO_DAYS = datetime.now(timezone(timedelta(hours=8))) + timedelta(days=2)
WINDOW = json.dumps(
    {
        "error": {
            "code": "1308",
            "message": f"Usage limit reached. Your limit will reset at {IN_TWO_DAYS:%Y-%m-%d %H:%M:%S}",
        }
    }
)


def explained(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert run(["failures", "explain", *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_it_says_which_row_decides_and_what_follows(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["failures", "explain", WINDOW, "--status", "429"]) == 0
    shown = capsys.readouterr().out
    for text in (
        "quota:",
        "zai-plan",
        "https://",
        "429 Usage limit reached.",
        "the user's plan",
        "as the provider says",
    ):
        assert text in shown


def test_a_failure_may_be_a_file_an_answer_an_event_or_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = tmp_path / "answer.txt"
    answer.write_text(f"HTTP/1.1 429 Too Many\r\nRetry-After: 30\r\nContent-Type: application/json\r\n\r\n{WINDOW}")
    assert explained(capsys, str(answer))["named_seconds"] == 30
    event = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    assert explained(capsys, event)["class"] == "overload"
    assert explained(capsys, "You exceeded your current quota")["class"] == "quota"
    unknown = explained(capsys, "Kaputt", "--status", "418")
    assert (unknown["class"], unknown["row"]) == ("unknown", None)


def test_a_time_beyond_reason_is_not_believed(capsys: pytest.CaptureFixture[str]) -> None:
    for value in ("1e300", "NaN", "-5", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "9" * 400):
        found = explained(capsys, f"HTTP/1.1 429 No\nretry-after: {value}\n\n{{}}")
        assert found["named_seconds"] is None
        assert found["cooldown_seconds"] == 60


def test_what_no_row_knew_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "opencode").mkdir()
    said = "418 org-a1b2c3d4e5 of me@example.com at 10.1.2.3 uses sk-abcdefghijkl"
    unknown = line(phase="request", action="moved", cost=0, failure="unknown", reason=said)
    known = line(phase="request", action="moved", cost=0, failure="quota", reason="402 Spent")
    lines = "".join(f"{one}\n" for one in (unknown, unknown, known))
    (tmp_path / "opencode" / log.NAME).write_text(lines)

    assert run(["attempts", "--unknown", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["unknown"]
    assert [(item["times"], item["said"]) for item in found] == [
        (2, "418 [id] of [address] at [address] uses [redacted]")
    ]
    assert run(["attempts", "--unknown"]) == 0
    assert "418 [id]" in capsys.readouterr().out
