"""Level 3: what plain ``opencode run`` prints while a provider fails."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher.base import process
from opencode_patcher.drill.drivers.home import environment
from opencode_patcher.drill.fakes.faults import Slow
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING, OVERLOADED
from tests.real.held_provider import holding

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

SWITCH = "Failover: alpha"


def test_run_says_once_who_goes_on_and_names_the_one_that_serves(tmp_path: Path, patched: Path) -> None:
    providers = (replace(ALPHA, then=OVERLOADED), replace(BETA, then=Slow(seconds=0.1)))
    with holding(tmp_path / "user", GREETING, *providers) as (home, (_, beta)):

        def follow(_: str, line: str) -> None:
            # The provider holds its answer back until this line has been printed.
            if SWITCH in line:
                beta.go_on()

        done = process.converse(
            [patched, "run", "--model", "combined/claude-sonnet-4-5", GREETING.prompt],
            cwd=home.work,
            env=environment(home),
            on_line=follow,
            timeout=120,
        )

    assert done.code == 0
    printed = done.stdout + done.stderr
    (switch,) = (line for line in printed.splitlines() if SWITCH in line)
    assert "503" in switch
    assert "beta takes over" in switch
    # Each provider that serves is named in the line in which upstream prints the agent and the model.
    assert re.findall(r"^> build · \S+ \((\w+)\)", printed, re.MULTILINE) == ["alpha", "beta"]
    assert GREETING.replies[0].text("beta") in printed
