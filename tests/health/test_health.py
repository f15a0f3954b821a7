"""The health of providers, as a user sees and changes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base import moments
from opencode_patcher.base.errors import StoreError, UsageError
from opencode_patcher.health import clear, record, steer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def stamp(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def cooldown(now: datetime, minutes: float = 30, **changes: Any) -> dict[str, object]:
    """A record as OpenCode writes it, of a failure a minute before ``now``."""
    return {
        "since": stamp(now - timedelta(minutes=1)),
        "until": stamp(now + timedelta(minutes=minutes)),
        "kind": "quota",
        "message": "402 Payment required",
        "failures": 1,
    } | changes


def document(now: datetime) -> dict[str, object]:
    plan = {"name": "5-hour window", "usedShare": 0.96, "endsAt": stamp(now + timedelta(hours=3)), "plan": True}
    over = plan | {"name": "week", "endsAt": stamp(now - timedelta(hours=3))}
    return {
        "version": 1,
        "members": {
            "alpha/": cooldown(now, 44.8),
            "beta/glm-4.6": cooldown(now, 0.5, kind="overload", message="503 Busy", failures=3),
            "beta/done": cooldown(now, -0.5),
            "gamma/": cooldown(now, failures=0),
        },
        "accounts": {"alpha/f00d": {"at": stamp(now), "windows": [plan, over]}},
    }


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where OpenCode writes, in a home of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "opencode").mkdir()
    file = tmp_path / "opencode" / record.NAME
    file.write_text(json.dumps(document(datetime.now(UTC))))
    return file


def test_it_says_who_is_avoided_why_and_until_when(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("beta/glm-4.6: avoided until ")
    assert lines[0].endswith("s) (overload, failed 3 times in a row)")
    assert lines[1] == "  503 Busy"
    assert lines[2].startswith("alpha: avoided until ")
    assert lines[2].endswith("(in 45 min) (quota)")
    assert lines[4].startswith("alpha: 96 % of the 5-hour window used, until ")
    assert "gamma" not in "".join(lines)
    assert "done" not in "".join(lines)
    assert lines[-1] == "To ask one again now: opencode-patcher health clear MEMBER"


def test_json_has_the_same(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "--json"]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert [(item["member"], item["class"], item["model"]) for item in shown["avoided"]] == [
        ("beta/glm-4.6", "overload", "glm-4.6"),
        ("alpha", "quota", None),
    ]
    assert [(item["provider"], item["window"], item["used"]) for item in shown["plans"]] == [
        ("alpha", "5-hour window", 0.96)
    ]


def test_without_a_file_nobody_is_avoided(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.unlink()

    assert run(["health"]) == 0
    assert capsys.readouterr().out == "No provider is being avoided.\n"


@pytest.mark.parametrize("named", ["beta", "beta/glm-4.6"])
def test_clearing_a_member_leaves_a_success_for_running_processes_and_the_rest_alone(
    path: Path, capsys: pytest.CaptureFixture[str], named: str
) -> None:
    before = json.loads(path.read_text())

    assert run(["health", "clear", named]) == 0

    assert capsys.readouterr().out == "beta/glm-4.6 can be asked again now.\n"
    after = json.loads(path.read_text())
    ended = after["members"].pop("beta/glm-4.6")
    known = before["members"].pop("beta/glm-4.6")
    assert ended["failures"] == 0
    assert ended["until"] == known["since"] < ended["since"]
    assert after == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in record.read(path, datetime.now(UTC)).cooldowns] == ["alpha"]
    assert [*path.parent.iterdir()] == [path]


def test_clearing_all_removes_the_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "clear"]) == 0

    assert "alpha can be asked again now." in capsys.readouterr().out
    assert not path.exists()
    assert run(["health", "clear"]) == 0
    assert "No provider was being avoided." in capsys.readouterr().out


def test_a_member_that_is_not_avoided_is_named_with_the_closest_one(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = path.read_text()

    assert run(["health", "clear", "alpa"]) == UsageError.exit_code

    said = capsys.readouterr().err
    assert "alpa is not being avoided." in said
    assert "Did you mean 'alpha'?" in said
    assert path.read_text() == before


def test_a_lock_that_is_held_is_waited_for_and_an_abandoned_one_is_broken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = path.with_name(f"{path.name}.lock")
    lock.mkdir()
    monkeypatch.setattr(clear, "PATIENCE", 0.05)
    with pytest.raises(StoreError, match="being written"):
        clear.clear(path, "alpha", datetime.now(UTC))

    monkeypatch.setattr(clear, "STALE", -1.0)
    assert clear.clear(path, "alpha", datetime.now(UTC))
    assert not lock.exists()


@pytest.mark.parametrize(
    "damaged",
    ["", "[]", "null", '{"version": 1}', '{"version": 2, "members": {}}', '{"version": 1, "members": []}', "{" * 5000],
)
def test_a_damaged_or_newer_file_is_named(path: Path, capsys: pytest.CaptureFixture[str], damaged: str) -> None:
    path.write_text(damaged)

    assert run(["health"]) == UsageError.exit_code
    assert f"The health file {path} cannot be read." in capsys.readouterr().err


@pytest.mark.parametrize(
    "members",
    [
        {"alpha": cooldown(NOW)},
        {"alpha/": None},
        {"alpha/": cooldown(NOW, since="now")},
        {"alpha/": cooldown(NOW, until=1e300)},
        {"alpha/": cooldown(NOW, since=stamp(NOW + timedelta(hours=1)))},
    ],
)
def test_records_that_opencode_would_ignore_are_left_out(tmp_path: Path, members: dict[str, object]) -> None:
    file = tmp_path / "health.json"
    windows = [{"name": 7, "usedShare": "x", "endsAt": 1e300}, None, {}]
    accounts = {"a/b": {"at": 1, "windows": windows}, "c/d": None, "e/f": {"windows": 7}}
    file.write_text(json.dumps({"version": 1, "members": members, "accounts": accounts}))

    assert record.read(file, NOW) == record.Health(now=NOW, cooldowns=(), windows=())


def test_text_of_a_provider_cannot_control_the_terminal(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC)
    members = {"al\x1b[2Jpha/": cooldown(now, message="Pay\u202e\x1b]0;owned\x07\nnow", kind="quo\x1bta")}
    path.write_text(json.dumps({"version": 1, "members": members}))

    assert run(["health"]) == 0
    assert not set("\x1b\x07\u202e") & set(capsys.readouterr().out)


def test_watching_shows_each_change(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def sleep(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            path.unlink()
        if looks == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)

    assert run(["health", "--watch", "--json"]) == 130

    first, second, *_ = capsys.readouterr().out.splitlines()
    assert len(json.loads(first)["avoided"]) == 2
    assert json.loads(second)["avoided"] == []


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (timedelta(seconds=20), "(in 20 s)"),
        (timedelta(seconds=90), "(in 2 min)"),
        (timedelta(minutes=12), "(in 12 min)"),
        (timedelta(hours=5), "(in 5 h)"),
        (timedelta(days=6), "(in 6 days)"),
        (timedelta(seconds=-3), "(in 0 s)"),
    ],
)
def test_times_are_local_with_what_is_left(after: timedelta, said: str) -> None:
    text = moments.until(NOW + after, NOW)

    assert text.endswith(said)
    local, here = (NOW + after).astimezone(), NOW.astimezone()
    assert text.startswith(f"{local:%H:%M}" if local.date() == here.date() else f"{local:%Y-%m-%d %H:%M}")


def test_a_pin_and_a_skip_are_in_the_file_that_opencode_follows(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads(path.read_text())
    assert run(["health", "pin", "combined/glm", "alpha/glm-4.6"]) == 0
    assert "combined/glm: pinned to alpha/glm-4.6" in capsys.readouterr().out
    assert run(["health", "skip", "beta"]) == 0
    now = json.loads(path.read_text())
    assert now == before | {"steer": {"pins": {"glm": "alpha/glm-4.6"}, "skips": ["beta"]}}
    assert run(["health", "skip", "alpha/glm-4.6", "--json"]) == 0
    capsys.readouterr()
    assert run(["health", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["pins"], shown["skips"]) == ({}, ["beta", "alpha/glm-4.6"]), "a skip ends a pin to the same member"
    assert run(["health", "pin", "glm", "beta"]) == 0
    assert run(["health", "reset", "combined/glm"]) == 0
    assert json.loads(path.read_text())["steer"] == {"pins": {}, "skips": ["alpha/glm-4.6"]}
    assert run(["health", "reset"]) == 0
    assert json.loads(path.read_text()) == before


def test_ending_cooldowns_leaves_pins_and_skips(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "skip", "beta"]) == 0
    assert run(["health", "clear", "alpha"]) == 0
    assert json.loads(path.read_text())["steer"]["skips"] == ["beta"]
    assert run(["health", "clear"]) == 0
    assert json.loads(path.read_text()) == {"version": 1, "members": {}, "steer": {"pins": {}, "skips": ["beta"]}}
    assert run(["health", "reset", "beta"]) == 0
    assert json.loads(path.read_text()) == {"version": 1, "members": {}}


def test_a_pin_makes_the_file_if_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "new" / record.NAME
    steer.reset(file, None)
    assert not file.exists()
    steer.pin(file, "glm", "alpha")
    assert json.loads(file.read_text())["steer"] == {"pins": {"glm": "alpha"}, "skips": []}
    assert oct(file.stat().st_mode & 0o777) == "0o600"
