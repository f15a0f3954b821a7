"""A loaded machine stretches times and never makes them shorter."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from opencode_patcher.base import resources
from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.faults import At, Broken, How, HttpError, Slow
from opencode_patcher.drill.fakes.provider import Outage
from opencode_patcher.drill.scenarios.benchmark import TIMEOUTS
from opencode_patcher.drill.scenarios.pace import COOLDOWN_MS, HEALTHY_SECONDS, SLOWEST, Pace, pace, paced
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING, OVERLOADED, RESTING
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario
from opencode_patcher.drill.scenarios.selection import ALL_SCENARIOS

CUT = Broken(at=At.TEXT, how=How.RESET, pause=0.5)
SCENARIO = Scenario(
    name="slow",
    title="slow",
    providers=(replace(ALPHA, faults=(CUT, None), then=Slow(seconds=2), others={Purpose.TITLE: (CUT,)}), BETA),
    turns=(GREETING,),
    expected=Expectation(served_by=None, seconds=3),
    combined=TIMEOUTS,
)


@pytest.mark.parametrize(
    ("seconds", "factor"),
    [
        (0.0, 1.0),
        (HEALTHY_SECONDS / 2, 1.0),
        (HEALTHY_SECONDS * 3, 3.0),
        (HEALTHY_SECONDS * 1000, SLOWEST),
    ],
)
def test_the_pace_follows_a_healthy_turn_within_bounds(seconds: float, factor: float) -> None:
    assert pace(seconds).factor == pytest.approx(factor)


def test_times_in_which_opencode_works_are_scaled() -> None:
    found = paced(SCENARIO, Pace(2.0))
    alpha = found.providers[0]
    assert alpha.faults == (replace(CUT, pause=1.0), None)
    assert alpha.then == Slow(seconds=4)
    assert alpha.others == {Purpose.TITLE: (replace(CUT, pause=1.0),)}
    assert found.providers[1] == BETA
    assert found.expected == replace(SCENARIO.expected, seconds=6)
    assert found.combined == {
        "first_token_timeout": 2 * TIMEOUTS["first_token_timeout"],
        "stall_timeout": 2 * TIMEOUTS["stall_timeout"],
        "cooldown": {"min": 2 * COOLDOWN_MS},
    }
    assert found.turns == SCENARIO.turns


def test_opencode_still_waits_for_a_member_on_the_slowest_machine() -> None:
    cooldown = paced(SCENARIO, Pace(SLOWEST)).combined["cooldown"]
    decides = (resources.templates() / "combined/turn/decide.ts").read_text()
    longest = re.search(r"LONGEST_WAIT = ([\d_]+)", decides)
    assert longest
    assert isinstance(cooldown, dict)
    assert cooldown["min"] < int(longest[1])


@pytest.mark.parametrize(
    "alpha", [replace(ALPHA, then=RESTING), replace(ALPHA, outage=Outage(seconds=8, fault=OVERLOADED))]
)
def test_a_provider_that_gives_a_time_of_return_is_believed(alpha: object) -> None:
    assert isinstance(alpha, type(ALPHA))
    found = paced(replace(SCENARIO, providers=(alpha, BETA), combined={}), Pace(2.0))
    assert found.combined == {}


def test_what_is_wrong_with_an_answer_stays_the_same() -> None:
    refusal = HttpError(status=503, message="Overloaded")
    assert (
        paced(replace(SCENARIO, providers=(replace(ALPHA, then=refusal), BETA)), Pace(5)).providers[0].then == refusal
    )


def test_an_idle_machine_runs_every_scenario_as_written() -> None:
    assert [scenario.name for scenario in ALL_SCENARIOS if paced(scenario, Pace(1.0)) is not scenario] == []
