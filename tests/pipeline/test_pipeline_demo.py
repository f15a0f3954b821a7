"""``opencode-patcher demo`` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_upstream import CommandLine

from opencode_patcher import builds
from opencode_patcher.errors import INTERRUPTED, ToolchainError
from opencode_patcher.store import Store, open_store


def demo_store(command_line: CommandLine) -> Store:
    return open_store(command_line.store).inner("demo")


def test_it_shows_the_failover_as_a_timeline_and_how_to_go_on(command_line: CommandLine) -> None:
    done = command_line.run("demo")

    assert done.returncode == 0, done.stderr
    assert "alpha     answers 429: Rate limit reached" in done.stdout
    assert "beta      is asked, " in done.stdout
    assert "has run the tool bash: completed" in done.stdout
    assert "served by alpha, then beta; the tool ran once" in done.stdout
    assert "opencode-patcher build" in done.stdout
    assert "Building 1.0.0" in done.stderr


def test_a_second_run_builds_nothing_and_shows_the_same_again(command_line: CommandLine) -> None:
    first = json.loads(command_line.run("demo", "--json").stdout)

    second = json.loads(command_line.run("demo", "--json").stdout)

    assert (first["reused"], second["reused"]) == (False, True)
    assert first["passed"]
    assert second["passed"]
    assert [scenario["name"] for scenario in second["scenarios"]] == ["429", "cut-in-text", "cut-after-tool"]
    for scenario in second["scenarios"]:
        assert {"alpha", "beta", "opencode"} == {line["who"] for line in scenario["timeline"]}


def test_quiet_shows_the_story_and_no_progress(command_line: CommandLine) -> None:
    done = command_line.run("demo", "--quiet")

    assert done.stderr == ""
    assert "served by beta" in done.stdout


def test_its_program_is_not_offered_for_installation(command_line: CommandLine) -> None:
    assert command_line.run("demo", "--quiet").returncode == 0

    assert builds.latest(demo_store(command_line)) is not None
    assert builds.latest(open_store(command_line.store)) is None


def test_homes_are_kept_where_the_user_wants_them(command_line: CommandLine, tmp_path: Path) -> None:
    assert command_line.run("demo", "--quiet", "--keep", str(tmp_path / "kept")).returncode == 0

    assert list((tmp_path / "kept").glob("*/cut-after-tool/work/effects.txt"))


def test_an_unreachable_registry_is_an_error_and_not_a_traceback(
    command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("BUN_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    monkeypatch.setenv("BUN_INSTALL_CACHE_DIR", str(tmp_path / "empty"))

    failed = command_line.run("demo")

    assert failed.returncode == ToolchainError.exit_code
    assert "npm_config_registry" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert failed.stdout == ""


@pytest.mark.parametrize("after", ["Fetching v1.0.0", "Patching", "Installing dependencies", "Building 1.0.0"])
def test_ctrl_c_leaves_nothing_half_made_and_the_next_run_completes(command_line: CommandLine, after: str) -> None:
    interrupted = command_line.interrupt(["demo"], after=after)
    store = demo_store(command_line)
    made = [path for path in store.builds.glob("*") if not (path / builds.MANIFEST).is_file()]

    assert interrupted.returncode == INTERRUPTED, interrupted.stderr
    assert "Interrupted" in interrupted.stderr
    assert "Traceback" not in interrupted.stderr
    assert made == []
    assert not [path for path in store.root.rglob("*") if path.name.endswith(".tmp")]
    again = command_line.run("demo", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["passed"]
