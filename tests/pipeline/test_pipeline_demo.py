"""``opencode-patcher demo`` as a user runs it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_patcher.base.errors import INTERRUPTED, ToolchainError
from opencode_patcher.base.store import open_store
from opencode_patcher.install import builds
from tests import forks
from tests.isolation import Isolation
from tests.pipeline.small_upstream import CommandLine, build


@dataclass(frozen=True)
class Shown:
    """One run of the command in its own store; ``kept`` has the homes of its drill."""

    command_line: CommandLine
    done: subprocess.CompletedProcess[str]
    kept: Path


@pytest.fixture(scope="module")
def shown(
    toolbox: Mapping[str, str], isolation: Isolation, fork: forks.Start, tmp_path_factory: pytest.TempPathFactory
) -> Shown:
    root = tmp_path_factory.mktemp("demo-command")
    command_line = CommandLine(store=root / "store", fork=fork, env=toolbox)
    with isolation.network():
        return Shown(command_line, command_line.run("demo", "--keep", str(root / "kept")), root / "kept")


def test_it_shows_the_failover_as_a_timeline_and_what_to_do_next(shown: Shown) -> None:
    out = shown.done.stdout

    assert shown.done.returncode == 0, shown.done.stderr
    assert "alpha     answers 429: Rate limit reached" in out
    assert "beta      is asked, " in out
    assert "has run the tool bash: completed" in out
    assert "served by alpha, then beta; the tool ran once" in out
    assert "opencode-patcher build" in out


def test_progress_goes_to_standard_error(shown: Shown) -> None:
    assert "Building 1.0.0" in shown.done.stderr
    assert "Building 1.0.0" not in shown.done.stdout


def test_its_program_is_not_offered_for_installation(shown: Shown) -> None:
    store = open_store(shown.command_line.store)

    assert builds.latest(store.inner("demo")) is not None
    assert builds.latest(store) is None


def test_homes_are_kept_in_the_named_directory(shown: Shown) -> None:
    [effects] = shown.kept.glob("*/cut-after-tool/work/effects.txt")

    assert effects.read_text() == "done\n"


def test_a_second_run_builds_nothing_and_tells_machines_the_same_story(shown: Shown) -> None:
    again = shown.command_line.run("demo", "--json")

    told = json.loads(again.stdout)
    assert again.stderr == ""
    assert told["reused"]
    assert told["passed"]
    assert [scenario["name"] for scenario in told["scenarios"]] == ["429", "cut-in-text", "cut-after-tool"]
    for scenario in told["scenarios"]:
        assert {line["who"] for line in scenario["timeline"]} == {"alpha", "beta", "opencode"}
        assert scenario["failover_ms"] > 0


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
def test_ctrl_c_leaves_nothing_unfinished_and_the_next_run_completes(command_line: CommandLine, after: str) -> None:
    """Each phase is reported when it has ended: the signal meets the one that follows."""
    interrupted = command_line.interrupt(["demo"], after=after)

    assert interrupted.returncode == INTERRUPTED, interrupted.stderr
    assert "Interrupted" in interrupted.stderr
    assert "Traceback" not in interrupted.stderr
    store = open_store(command_line.store).inner("demo")
    assert not [path for path in store.builds.glob("*") if not (path / builds.MANIFEST).is_file()]
    assert not [path for path in store.root.rglob("*") if path.name.endswith(".tmp")]
    assert build(store).binary.is_file()
