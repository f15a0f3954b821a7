"""OpenCode 2, from the release to the installed binary, on its small upstream: as ``demo --line 2`` and after it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from opencode_patcher import drill
from opencode_patcher.base import process
from opencode_patcher.base.errors import INTERRUPTED
from opencode_patcher.base.line import OPENCODE_2
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.drill.drivers.home import Home, configuration, environment, prepare
from opencode_patcher.drill.fakes.faults import At, Broken, How
from opencode_patcher.drill.fakes.server import serving
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING, OVERLOADED
from opencode_patcher.install import builds
from opencode_patcher.install.builds import Build
from opencode_patcher.pipeline import Built
from tests import forks
from tests.install.install_samples import make_build, started
from tests.isolation import Isolation
from tests.pipeline.small_upstream import CommandLine, build

STOCK_SECONDS = 6.0
"""The unpatched program waits 2 s before it asks the same provider again."""


@dataclass(frozen=True)
class Shown:
    """One run of the command in its own store; ``kept`` has the homes of its drill."""

    command_line: CommandLine
    done: subprocess.CompletedProcess[str]
    kept: Path

    @property
    def build(self) -> Build:
        found = builds.latest(open_store(self.command_line.store).inner("demo"))
        assert found
        return found


@pytest.fixture(scope="module")
def shown(
    toolbox: Mapping[str, str], isolation: Isolation, fork: forks.Start, tmp_path_factory: pytest.TempPathFactory
) -> Shown:
    root = tmp_path_factory.mktemp("demo-2")
    command_line = CommandLine(store=root / "store", fork=fork, env=toolbox)
    with isolation.network():
        done = command_line.run("demo", "--line", "2", "--keep", str(root / "kept"))
    return Shown(command_line, done, root / "kept")


def running(program: Path) -> list[str]:
    """The processes that run a program, where the system tells."""
    if sys.platform != "linux":
        return []
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*"):
        # Processes end while they are looked at, and those of others are not shown.
        with suppress(OSError):
            found += [path.name] if (path / "exe").readlink() == program else []
    return found


def test_the_demo_shows_the_failover_of_opencode_2(shown: Shown) -> None:
    out = shown.done.stdout

    assert shown.done.returncode == 0, shown.done.stderr
    assert "A small stand-in for OpenCode 2 was fetched" in out
    assert "alpha  answers 429: Rate limit reached" in out
    assert "alpha  calls the tool shell" in out
    assert "served by alpha, then beta; the tool ran once" in out
    assert "opencode-patcher build --line 2" in out
    [effects] = shown.kept.glob("*/projects/cut-after-tool*/effects.txt")
    assert effects.read_text() == "done\n"


def test_ctrl_c_ends_its_server_too(shown: Shown) -> None:
    interrupted = shown.command_line.interrupt(["demo", "--line", "2"], after="Checking the binary")

    assert interrupted.returncode == INTERRUPTED, interrupted.stderr
    assert "Traceback" not in interrupted.stderr
    assert running(shown.build.binary) == []


def test_it_is_installed_beside_opencode_1_with_a_history_of_its_own(
    shown: Shown, built_demo: Built, command_line: CommandLine, tmp_path: Path
) -> None:
    store, place = open_store(command_line.store), tmp_path / "bin"
    older = make_build(store, "older", "2.0.0")
    for made in (built_demo.build, shown.build):
        shutil.copytree(made.directory, store.builds / made.directory.name, copy_function=os.link)
    for wanted in (older, built_demo.build, shown.build):
        done = command_line.run("install", wanted.directory.name, f"--bin-dir={place}")
        assert done.returncode == 0, done.stderr

    assert [path.name for path in sorted(place.iterdir())] == ["opencode", "opencode2"]
    assert process.run([place / "opencode2", "--version"], cwd=tmp_path).stdout.strip() == "2.0.0"
    status = json.loads(command_line.run("status", "--name", "opencode2", "--json").stdout)
    assert status["place"] == str(place / "opencode2")

    assert command_line.run("rollback", "--name", "opencode2").returncode == 0
    assert started(place / "opencode2") == "older"
    assert process.run([place / "opencode", "--version"], cwd=tmp_path).stdout.strip() == "1.0.0"


def test_the_screen_has_one_whole_answer_and_says_who_gave_it(shown: Shown, tmp_path: Path) -> None:
    broken = replace(ALPHA, faults=(Broken(at=At.TEXT, how=How.RESET),), then=OVERLOADED)
    with serving((broken, BETA), (GREETING,)) as fakes:
        urls = {fake.provider.id: fake.base_url for fake in fakes}
        home: Home = prepare(tmp_path / "run", configuration((broken, BETA), urls, priority=True))
        command: list[str | Path] = [
            shown.build.binary,
            "run",
            "--model",
            "combined/claude-sonnet-4-5",
            GREETING.prompt,
        ]
        done = process.run(command, cwd=home.work, env=environment(home), timeout=30)

    assert done.stdout.splitlines() == [
        "Hello from beta, this is the whole answer and nothing was lost.",
        "> claude-sonnet-4.5 (beta)",
    ]
    answering = [line for line in done.stderr.splitlines() if line.startswith("> ")]
    assert [line.split()[-1] for line in answering] == ["(alpha)", "(beta)"]
    (switch,) = (line for line in done.stderr.splitlines() if line.startswith("Failover: "))
    assert switch.endswith("Beta takes over")


def test_the_unpatched_program_fails_in_its_own_ways(store: Store, unpatched: dict[str, Path]) -> None:
    binary = build(store, line=OPENCODE_2, **unpatched).binary

    report = drill.run(binary, drill.select(("429", "cut-in-text")), limit=STOCK_SECONDS)

    assert not report.patched
    seen = {row.scenario: row.seen for row in report.verdicts if not row.passed}
    assert "asked the same provider again" in seen["429"]
    assert "parts of the failed attempt left" in seen["cut-in-text"]
