"""The runner with a stand-in for the binary: real processes, real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher import drill
from opencode_patcher.base.errors import DrillError
from opencode_patcher.drill.dispatch import observe
from opencode_patcher.drill.drivers.home import Home, environment
from opencode_patcher.drill.drivers.probe import probe
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, ERRAND, GREETING, SCENARIOS
from opencode_patcher.drill.scenarios.scenario import MODEL, Expectation
from opencode_patcher.drill.verdict.judge import judge
from opencode_patcher.drill.verdict.observation import Subject

Fake = Callable[[str], Path]
PATCHED = [
    "healthy",
    "healthy-tool",
    "429-ten-hours",
    "503",
    "refused",
    "cut-in-text",
    "two-fail",
    "title-429",
    "all-fail",
]
TOOLS = ["cut-in-tool", "cut-after-tool", "fault-after-tool"]


def test_patched_and_stock_binaries_are_distinguished(fake_opencode: Fake, tmp_path: Path) -> None:
    patched = probe(fake_opencode("patched"), tmp_path / "a")
    assert (patched.patched, patched.model, patched.version) == (True, "combined/claude-sonnet-4.5", "9.9.9")
    stock = probe(fake_opencode("stock"), tmp_path / "b")
    assert (stock.patched, stock.model) == (False, None)


def test_a_good_binary_passes(fake_opencode: Fake) -> None:
    report = drill.run(fake_opencode("patched"), drill.select(PATCHED + TOOLS))
    assert {row.scenario: row.failures for row in report.failed} == {}
    assert report.patched
    assert len(report.failover_ms) >= 5


def test_a_stock_binary_waits_at_the_provider_that_failed(fake_opencode: Fake) -> None:
    report = drill.run(fake_opencode("stock"), drill.select(["healthy", "503", "refused"]), limit=3)
    seen = {row.scenario: row.seen for row in report.verdicts}
    assert [row.scenario for row in report.failed] == ["503", "refused"]
    assert "still waiting after 3 s; asked the same provider again after 0." in seen["503"]
    assert seen["refused"] == "still waiting after 3 s"


def test_a_sloppy_binary_fails(fake_opencode: Fake) -> None:
    report = drill.run(fake_opencode("sloppy"), drill.select(["cut-in-text", "healthy-tool"]))
    failures = {row.scenario: " ".join(row.failures) for row in report.verdicts}
    assert "the text shown is 'Hello from alpha, this is the Hello from beta," in failures["cut-in-text"]
    assert "the tool ran 2 times" in failures["healthy-tool"]


def test_a_second_turn_continues_the_session(fake_opencode: Fake, tmp_path: Path) -> None:
    scenario = replace(
        SCENARIOS[0],
        turns=(GREETING, ERRAND),
        expected=Expectation(served_by=("alpha", "alpha", "alpha"), requests={"alpha": 3, "beta": 0}),
    )
    subject = Subject(binary=fake_opencode("patched"), version="9.9.9", model="combined/claude-sonnet-4.5")
    assert judge(observe(scenario, subject, tmp_path / "run")).failures == ()


def test_arguments_and_settings_of_a_scenario_reach_the_binary(fake_opencode: Fake, tmp_path: Path) -> None:
    scenario = replace(
        SCENARIOS[0],
        turns=(replace(GREETING, arguments=("--model", "combined/other", GREETING.prompt)),),
        settings={"model": MODEL, "agent": {"careful": {"model": MODEL}}},
    )
    subject = Subject(binary=fake_opencode("patched"), version="9.9.9", model="combined/claude-sonnet-4.5")
    assert observe(scenario, subject, tmp_path / "run").code == 0
    settings = json.loads((Home(root=tmp_path / "run").work / "opencode.json").read_text())
    assert settings["model"] == settings["agent"]["careful"]["model"] == "combined/claude-sonnet-4.5"
    assert "provider_priority" in settings


def test_only_opencode_can_be_drilled(fake_opencode: Fake, tmp_path: Path) -> None:
    with pytest.raises(DrillError) as caught:
        drill.run(fake_opencode("broken"))
    assert "this is no opencode" in str(caught.value)
    with pytest.raises(DrillError, match="cannot be drilled"):
        drill.run(tmp_path / "nowhere")
    plain = tmp_path / "plain"
    plain.write_text("not executable")
    with pytest.raises(DrillError):
        drill.run(plain)


def test_homes_are_deleted_unless_they_are_kept(
    fake_opencode: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, kept = tmp_path / "temporary", tmp_path / "kept"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    drill.run(fake_opencode("patched"), drill.select(["healthy"]))
    assert list(temporary.iterdir()) == []
    drill.run(fake_opencode("patched"), drill.select(["healthy"]), keep=kept)
    assert len(list(kept.glob("drill-*/home/.config/opencode/opencode.json"))) == 1


def test_homes_that_cannot_be_created_are_a_clear_error(fake_opencode: Fake, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(DrillError, match="cannot be created"):
        drill.run(fake_opencode("patched"), keep=file / "below")


def test_nothing_of_the_users_reaches_the_binary(tmp_path: Path) -> None:
    users = {
        "PATH": "/bin",
        "ANTHROPIC_API_KEY": "secret",
        "HOME": "/home/u",
        "OPENCODE_CONFIG": "/home/u/x.json",
    }
    found = environment(Home(root=tmp_path), users)
    assert found["PATH"] == "/bin"
    assert found["ANTHROPIC_API_KEY"] is None
    assert found["OPENCODE_CONFIG"] is None
    inside = [found[name] for name in found if name == "HOME" or name.startswith("XDG_") or name == "TMPDIR"]
    assert len(inside) == 6
    assert all(str(value).startswith(str(tmp_path)) for value in inside)


def test_every_provider_has_its_own_key() -> None:
    assert ALPHA.key != BETA.key
