"""The log of attempts, as a user sees it."""

from __future__ import annotations

import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from opencode_patcher.__main__ import run
from opencode_patcher.attempts import log, since
from opencode_patcher.attempts.line import line as as_line
from opencode_patcher.base.errors import UsageError
from tests.attempts.attempt_samples import line

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

FAILED = {"action": "moved", "failure": "rate_limit", "reason": "429 Slow down", "next": "beta/glm-4.6", "cost": 0}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where OpenCode writes, in a home of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "opencode").mkdir()
    return tmp_path / "opencode" / log.NAME


def write(path: Path, *lines: str) -> None:
    path.write_text("".join(f"{item}\n" for item in lines))


def test_it_shows_each_attempt_and_the_totals(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repeated = line(action="repeated", failure="network", reason="cut", cost=0.5)
    write(path, line(**FAILED), repeated, line(provider="beta"), line(provider="beta"))

    assert run(["attempts"]) == 0

    out = capsys.readouterr().out
    assert re.search(r"^\d\d:\d\d:\d\d  _one  alpha/glm-4\.6 +switched +429 Slow down$", out, re.MULTILINE)
    assert re.search(r"  beta/glm-4\.6 +answered +2\.5 s, 105\+20 tokens, \$0\.2500$", out, re.MULTILINE)
    assert "answered by:        beta 2" in out
    assert "switches by cause:  rate_limit 1" in out
    assert "retried:            1" in out
    assert "cost by provider:   alpha $0.5000, beta $0.5000" in out


def test_json_has_attempts_and_totals(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(path, line(**FAILED), line(provider="beta"))

    assert run(["attempts", "--json"]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert [item["next"] for item in shown["attempts"]] == ["beta/glm-4.6", None]
    assert shown["totals"]["served_by"] == {"beta": 1}
    assert shown["totals"]["cost_by_provider"] == {"beta": 0.25, "alpha": 0.0}


def test_the_previous_file_is_read_too_and_the_oldest_attempt_comes_first(path: Path) -> None:
    write(path, line(session="late", start="2026-03-01T11:30:00Z"))
    write(path.with_name(f"{log.NAME}.1"), line(session="early"))

    assert [item.session for item in log.read(path).attempts] == ["early", "late"]


def test_since_leaves_out_earlier_attempts(path: Path) -> None:
    write(path, line(session="old", end="2026-02-01T00:00:00Z"), line(session="new"))

    assert [item.session for item in log.read(path).matching(since=NOW - timedelta(days=1)).attempts] == ["new"]


@pytest.mark.parametrize(
    "damaged",
    [
        '{"start": "2026',
        "[]",
        "null",
        "7",
        line(start="today"),
        line(start="0001-01-01T00:00:00Z"),
        line(end="9999-12-31T23:59:59Z"),
        line(tokens=None),
        line(tokens={"input": float("inf"), "output": 1, "cache_read": 0}),
        line(cost=float("nan")),
        line(first_token=float("inf")),
        line(action="moved", failure=["rate_limit"]),
        line(action="moved", failure={"kind": "rate_limit"}),
        line(provider=7),
    ],
)
def test_a_damaged_line_is_left_out_and_counted(path: Path, capsys: pytest.CaptureFixture[str], damaged: str) -> None:
    write(path, damaged, line(session="whole"))

    assert run(["attempts"]) == 0

    shown = capsys.readouterr()
    assert "hole" in shown.out
    assert "cannot be read were left out: 1" in shown.err


def test_text_from_a_provider_cannot_break_a_line_or_control_the_terminal(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = "Slow\u2028down\u0085\x1b]0;owned\x07\x1b[2J\ud800 please"
    record = json.dumps(json.loads(line(**FAILED)) | {"reason": reason}, ensure_ascii=False)
    path.write_bytes(f"{record}\n".replace("\ud800", "\\ud800").encode())

    assert run(["attempts"]) == 0

    shown = capsys.readouterr()
    assert r"Slow\u2028down\x85\x1b]0;owned\x07\x1b[2J\ud800 please" in shown.out
    assert not set("\x1b\x07\u0085\u2028") & set(shown.out)
    assert not shown.err
    assert run(["attempts", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["attempts"]) == 1


def test_it_shows_the_variant_and_what_a_member_made_of_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        path,
        line(),
        line(variant="high", provider="same"),
        line(variant="max", own_variant="high", provider="near"),
        line(variant="max", own_variant=None, provider="none", instead_of="glm-5"),
    )

    assert run(["attempts"]) == 0

    out = re.sub(r"\s+", " ", capsys.readouterr().out)
    for member in (
        "alpha/glm-4.6 answered",
        "same/glm-4.6 (high)",
        "near/glm-4.6 (max as high)",
        "none/glm-4.6 (without max) answered 2.5 s, 105+20 tokens, $0.2500, instead of glm-5",
    ):
        assert member in out
    assert run(["attempts", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["attempts"]
    assert [(item["variant"], item["own_variant"]) for item in shown] == [
        (None, None),
        ("high", "high"),
        ("max", "high"),
        ("max", None),
    ]


def test_without_a_log_it_says_so(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attempts"]) == 0
    assert f"No attempts are recorded in {path}." in capsys.readouterr().out

    assert run(["attempts", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["attempts"] == []


def test_an_unreadable_log_is_named(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.mkdir()

    assert run(["attempts"]) == UsageError.exit_code
    assert f"The log {path} cannot be read." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T10:00:00+02:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
    ],
)
def test_a_time_span_or_a_date_is_accepted(text: str, moment: datetime) -> None:
    assert since.parse(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2x", "-2h", "999999w", "2026-13-01"])
def test_anything_else_is_refused(text: str, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attempts", "--since", text]) == UsageError.exit_code
    assert "is not a time" in capsys.readouterr().err


def test_the_log_is_in_the_data_directory_of_opencode() -> None:
    home = Path("/home/me")
    assert (
        log.standard_path({"HOME": "/home/me", "USERPROFILE": "/home/me"}) == home / ".local/share/opencode" / log.NAME
    )
    assert log.standard_path({"XDG_DATA_HOME": "/data"}) == Path("/data/opencode") / log.NAME


@pytest.mark.skipif(sys.platform == "win32", reason="has no list of users")
@pytest.mark.parametrize("environment", [{}, {"HOME": ""}])
def test_without_home_the_system_says_where_it_is(environment: dict[str, str]) -> None:
    import pwd

    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert log.standard_path(environment) == home / ".local/share/opencode" / log.NAME


@pytest.mark.skipif(sys.platform == "win32", reason="has no list of users")
def test_a_user_whom_the_system_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    known = {entry.pw_uid for entry in pwd.getpwall()}
    stranger = next(number for number in range(40000, 60000) if number not in known)
    monkeypatch.setattr(os, "getuid", lambda: stranger)
    with pytest.raises(UsageError, match="location is unknown") as caught:
        log.standard_path({})
    assert "--file FILE" in caught.value.next_step


@pytest.mark.parametrize("width", [65, 80, 110, 200])
def test_a_line_fits_on_the_screen_whatever_a_provider_says(path: Path, width: int) -> None:
    write(
        path,
        line(
            **FAILED
            | {"reason": "The 5-hour limit of your plan is used up. " * 9, "provider": "a-provider-with-a-long-name"}
        ),
        line(
            **FAILED
            | {"reason": "您的套餐额度已用完,请稍后再试。" * 9, "provider": "供应商" * 9, "session": "会话会话会话"}
        ),
        line(**FAILED | {"reason": "\x1b[2J" * 50, "model": "glm" * 30}),
        line(variant="high", purpose="title", tokens={"input": 1_234_567, "output": 65_432, "cache_read": 5}),
    )

    lines = [as_line(attempt, width) for attempt in log.read(path).attempts]

    assert max(map(cell_len, lines)) <= width
    assert all(text.endswith("…") for text in lines[:3])
    assert "title: 2.5 s, 1235k" in lines[3]


def test_the_newest_attempts_come_last_and_the_others_are_counted(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(path, *(line(start=f"2026-03-01T11:00:{second:02}Z", session=f"ses_{second:04}") for second in range(50)))

    assert run(["attempts", "--last", "2"]) == 0

    out = capsys.readouterr().out
    assert re.findall(r"^\d\d:\d\d:\d\d  (\d+)  ", out, re.MULTILINE) == ["0048", "0049"]
    assert "(48 earlier ones: --last 0)" in out
    assert "answered by:        alpha 50" in out


def test_json_has_all_unless_a_number_is_given(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(path, *(line(start=f"2026-03-01T11:00:{second:02}Z") for second in range(50)))

    assert run(["attempts", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["attempts"]) == 50
    assert run(["attempts", "--json", "--last", "2"]) == 0
    assert len(json.loads(capsys.readouterr().out)["attempts"]) == 2


def test_following_does_not_show_what_since_has_left_out(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = line(session="ses_old1")
    write(path, old)
    now = datetime.now(UTC).isoformat()
    looks = 0

    def sleep(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise KeyboardInterrupt
        write(path, old, line(session="ses_new1", start=now, end=now))

    monkeypatch.setattr("time.sleep", sleep)

    assert run(["attempts", "--since", "2h", "--follow"]) == 130

    out = capsys.readouterr().out
    assert "new1" in out
    assert "old1" not in out


def test_a_session_is_found_by_the_end_of_its_id(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(path, line(session="ses_one"), line(session="ses_two", provider="beta"))

    assert run(["attempts", "--session", "two"]) == 0

    out = capsys.readouterr().out
    assert "beta" in out
    assert "alpha" not in out


def test_following_shows_what_is_added_also_in_a_new_file(path: Path) -> None:
    write(path, line(session="old"))
    looks = 0

    def wait() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            write(path, line(session="old"), line(session="second"))
        elif looks == 3:
            path.rename(path.with_name(f"{log.NAME}.1"))
            write(path, line(session="third"))

    found = log.follow(path, log.read(path), wait)

    assert [next(found).session, next(found).session] == ["second", "third"]


def test_a_report_shows_sessions_costs_and_causes_and_runs_nothing_of_a_provider(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = "<script>alert(1)</script>"
    write(path, line(**FAILED | {"reason": reason}), line(provider="beta"), line(provider="beta", session="ses_two"))
    out = tmp_path / "page.html"

    assert run(["attempts", "report", "--out", str(out)]) == 0

    assert f"Written: {out}" in capsys.readouterr().out
    page = out.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert page.count('<div class="line">') == 2
    assert re.search(r"beta <small>\$0\.50</small>", page)
    assert re.search(r"rate_limit <small>1</small>", page)


def test_a_report_of_nothing_says_so(path: Path, tmp_path: Path) -> None:
    assert run(["attempts", "report", "--out", str(tmp_path / "page.html")]) == 0
    assert "Nothing was recorded" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_following_and_json_do_not_go_together(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attempts", "--follow", "--json"]) == UsageError.exit_code
    assert json.loads(capsys.readouterr().out)["error"]["what"] == "--follow shows lines."
