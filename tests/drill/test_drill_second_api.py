"""The second API of a server, with a stand-in for the binary: real processes and real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher.base.errors import DrillError
from opencode_patcher.base.version import Range
from opencode_patcher.drill import suite
from opencode_patcher.drill.dispatch import observe
from opencode_patcher.drill.scenarios.entry_points import WAY_SCENARIOS
from opencode_patcher.drill.scenarios.scenario import Scenario, Through
from opencode_patcher.drill.verdict.judge import judge
from opencode_patcher.drill.verdict.observation import Observation, Subject

Fake = Callable[[str], Path]

FAILOVER, ERROR, REFUSED = (one for one in WAY_SCENARIOS if one.through is Through.SECOND_API)


def seen(
    binary: Path, scenario: Scenario, root: Path, *, model: str = "combined/claude-sonnet-4.5", limit: float = 20
) -> Observation:
    return observe(scenario, Subject(binary=binary, version="9.9.9", model=model), root / "run", limit=limit)


def test_a_good_binary_passes(fake_opencode: Fake, tmp_path: Path) -> None:
    observation = seen(fake_opencode("patched"), FAILOVER, tmp_path)
    # This stand-in does not remember which provider failed: it asks the first one for each step.
    assert [failure for failure in judge(observation).failures if "alpha got" not in failure] == []
    assert observation.session is not None
    assert observation.session.asked == 2


def test_a_tool_that_runs_twice_is_a_failure(fake_opencode: Fake, tmp_path: Path) -> None:
    failures = judge(seen(fake_opencode("sloppy"), FAILOVER, tmp_path)).failures
    assert "the tool ran 2 times instead of the tool ran once" in failures


def test_a_model_that_is_not_listed_is_a_failure(fake_opencode: Fake, tmp_path: Path) -> None:
    observation = seen(fake_opencode("patched"), FAILOVER, tmp_path, model="combined/another", limit=1)
    assert any("does not list combined/another" in failure for failure in judge(observation).failures)


def test_silence_is_not_a_clear_error(fake_opencode: Fake, tmp_path: Path) -> None:
    failures = judge(seen(fake_opencode("patched"), REFUSED, tmp_path)).failures
    assert "no error was shown" in failures


def test_scenarios_of_other_releases_are_left_out(fake_opencode: Fake) -> None:
    both = [replace(FAILOVER, releases=Range(until=(1, 0, 0))), replace(ERROR, through=Through.SERVE)]
    report = suite.run(fake_opencode("patched"), both, limit=20)
    assert [verdict.scenario for verdict in report.verdicts] == [ERROR.name]


def test_a_drill_of_nothing_is_refused(fake_opencode: Fake) -> None:
    with pytest.raises(DrillError, match=r"None of these scenarios is for OpenCode 9\.9\.9"):
        suite.run(fake_opencode("patched"), [REFUSED], limit=20)
