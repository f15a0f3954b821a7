"""``verify`` on a stand-in for the binary."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opencode_patcher.base.errors import DrillError, UsageError
from opencode_patcher.cli.verify import command

Fake = Callable[[str], Path]


def verify(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_a_good_binary_gets_a_table_and_no_error(fake_opencode: Fake) -> None:
    result = verify("--binary", fake_opencode("patched"), "--only", "503", "--only", "healthy")
    assert result.exception is None
    assert "503 overloaded" in result.stdout
    assert "OpenCode 9.9.9 (patched): 2 of 2 scenarios passed" in result.stdout
    assert "Drilling 2 scenarios (2 of 2)" in result.stderr


def test_a_bad_binary_gets_its_reasons_and_an_error(fake_opencode: Fake) -> None:
    binary = fake_opencode("sloppy")
    result = verify("--binary", binary, "--only", "healthy-tool")
    assert isinstance(result.exception, DrillError)
    assert result.exception.exit_code == 7
    assert f"verify --binary {binary} --only healthy-tool" in result.exception.next_step
    assert "- the tool ran 2 times instead of the tool ran once" in result.stdout


def test_json_is_the_only_output_even_when_a_scenario_fails(fake_opencode: Fake) -> None:
    result = verify("--binary", fake_opencode("sloppy"), "--only", "healthy-tool", "--json")
    data = json.loads(result.stdout)
    assert (data["patched"], data["passed"], data["scenarios"][0]["name"]) == (True, False, "healthy-tool")
    assert result.stderr == ""
    assert result.exit_code == 7


def test_json_of_a_good_binary_exits_with_0(fake_opencode: Fake) -> None:
    result = verify("--binary", fake_opencode("patched"), "--only", "healthy", "--json")
    assert json.loads(result.stdout)["passed"] is True
    assert result.exit_code == 0


def test_quiet_prints_nothing_for_a_good_binary(fake_opencode: Fake) -> None:
    result = verify("--binary", fake_opencode("patched"), "--only", "healthy", "--quiet")
    assert result.exit_code == 0
    assert result.output == ""


def test_comparing_is_a_separate_command() -> None:
    result = verify("--compare", "old.json")
    assert isinstance(result.exception, UsageError)
    assert result.exception.next_step == "opencode-patcher compare old.json"


def test_an_unknown_scenario_is_refused_before_anything_runs(tmp_path: Path) -> None:
    result = verify("--binary", tmp_path / "nowhere", "--only", "502")
    assert isinstance(result.exception, UsageError)
    assert "healthy" in result.exception.next_step


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_without_a_build_it_says_how_to_make_one(arguments: tuple[str, ...]) -> None:
    result = verify(*arguments)
    assert isinstance(result.exception, UsageError)
    assert "opencode-patcher build" in result.exception.next_step


def test_a_binary_can_be_verified_scenario_by_scenario(fake_opencode: Fake, tmp_path: Path) -> None:
    result = verify(
        "--binary", fake_opencode("patched"), "--only", "503", "--isolated", "--keep", tmp_path / "kept", "--json"
    )
    data = json.loads(result.stdout)
    assert (data["passed"], data["healthy_turn_ms"]) == (True, None)
    assert [*tmp_path.glob("kept/drill-*/503/home")]


def test_json_says_how_fast_the_machine_is_and_what_was_repeated(fake_opencode: Fake) -> None:
    data = json.loads(verify("--binary", fake_opencode("patched"), "--only", "healthy", "--json").stdout)
    assert data["healthy_turn_ms"] > 0
    assert data["scenarios"][0]["first_try"] == []
