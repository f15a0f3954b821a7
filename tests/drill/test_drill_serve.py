"""The runner through a server, with a stand-in for the binary: real processes, real HTTP, real events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher.base.errors import DrillError
from opencode_patcher.drill.dispatch import observe
from opencode_patcher.drill.drivers.home import Home
from opencode_patcher.drill.drivers.opencode_server import serving
from opencode_patcher.drill.fakes.faults import At, Broken, How, Slow
from opencode_patcher.drill.scenarios.agents import AGENT_SCENARIOS, QUESTION
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, ERRAND, GREETING
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario
from opencode_patcher.drill.verdict.judge import judge
from opencode_patcher.drill.verdict.observation import Observation, Subject

Fake = Callable[[str], Path]

TAKEN_BACK = next(scenario for scenario in AGENT_SCENARIOS if scenario.name == "taken-back")


def seen(binary: Path, scenario: Scenario, root: Path, *, limit: float = 20) -> Observation:
    subject = Subject(binary=binary, version="9.9.9", model="combined/claude-sonnet-4.5")
    return observe(scenario, subject, root / "run", limit=limit)


def test_a_good_binary_discards_a_partial_answer(fake_opencode: Fake, tmp_path: Path) -> None:
    observation = seen(fake_opencode("patched"), TAKEN_BACK, tmp_path)
    assert judge(observation).failures == ()
    assert observation.shown_text == GREETING.replies[0].text("beta") + QUESTION.replies[0].text("beta")


def test_text_left_on_the_screen_is_a_failure(fake_opencode: Fake, tmp_path: Path) -> None:
    scenario = replace(TAKEN_BACK, turns=(GREETING,), expected=Expectation(served_by=("beta",)))
    failures = judge(seen(fake_opencode("sloppy"), scenario, tmp_path)).failures
    assert any("the text shown is" in failure and "rest" in failure for failure in failures)


def test_tools_work_while_another_process_shares_the_home(fake_opencode: Fake, tmp_path: Path) -> None:
    scenario = replace(
        TAKEN_BACK,
        providers=(replace(ALPHA, faults=(Broken(at=At.TEXT, how=How.RESET),)), BETA),
        turns=(ERRAND, replace(GREETING, elsewhere=True)),
        expected=Expectation(served_by=None),
    )
    observation = seen(fake_opencode("patched"), scenario, tmp_path)
    assert observation.code == 0
    assert observation.effects == 1
    assert len(observation.others) == 1


def test_an_undo_without_effect_is_a_failure(fake_opencode: Fake, tmp_path: Path) -> None:
    scenario = replace(
        TAKEN_BACK,
        providers=(replace(ALPHA, faults=(None,)), BETA),
        turns=(replace(ERRAND, undone=True),),
        expected=Expectation(served_by=("alpha", "alpha")),
    )
    failures = judge(seen(fake_opencode("patched"), scenario, tmp_path)).failures
    assert any("1 of 1 lines are left after the undo" in failure for failure in failures), failures


def test_a_cancel_is_noted_and_ignoring_it_is_a_failure(fake_opencode: Fake, tmp_path: Path) -> None:
    scenario = replace(
        TAKEN_BACK,
        providers=(
            replace(ALPHA, then=Broken(at=At.START, how=How.RESET, pause=0.8)),
            replace(BETA, then=Slow(seconds=3)),
        ),
        turns=(replace(GREETING, cancel=0.3),),
        expected=Expectation(served_by=None, cancelled=True),
    )
    observation = seen(fake_opencode("patched"), scenario, tmp_path)
    assert observation.cancelled is not None
    assert "beta was asked after the user's cancel" in judge(observation).failures


def test_a_turn_that_ends_before_the_cancel_is_a_failure(fake_opencode: Fake, tmp_path: Path) -> None:
    scenario = replace(
        TAKEN_BACK,
        providers=(replace(ALPHA, then=None, faults=()), BETA),
        turns=(replace(GREETING, cancel=10),),
        expected=Expectation(served_by=None, cancelled=True),
    )
    observation = seen(fake_opencode("patched"), scenario, tmp_path)
    assert observation.cancelled is None
    assert judge(observation).failures == ("the turn was over before the user could cancel",)


def test_the_cancel_comes_after_all_expected_providers_were_asked(fake_opencode: Fake, tmp_path: Path) -> None:
    scenario = replace(
        TAKEN_BACK,
        providers=(
            replace(ALPHA, then=Broken(at=At.START, how=How.RESET, pause=0.8)),
            replace(BETA, then=Slow(seconds=20)),
        ),
        turns=(replace(GREETING, cancel=0.1),),
        expected=Expectation(served_by=None, cancelled=True, requests={"alpha": 1, "beta": 1}),
    )
    observation = seen(fake_opencode("patched"), scenario, tmp_path)
    assert observation.cancelled is not None
    assert judge(observation).failures == ()


def test_a_turn_that_does_not_end_is_ended(fake_opencode: Fake, tmp_path: Path) -> None:
    scenario = replace(TAKEN_BACK, providers=(replace(ALPHA, then=Slow(seconds=30)), BETA))
    observation = seen(fake_opencode("patched"), scenario, tmp_path, limit=1)
    assert observation.code is None
    assert "the turn had not ended after 1 s" in judge(observation).failures


def test_a_binary_that_does_not_serve_is_a_clear_error(fake_opencode: Fake, tmp_path: Path) -> None:
    home = Home(root=tmp_path / "run")
    home.work.mkdir(parents=True)
    with (
        pytest.raises(DrillError, match="did not say where it listens") as caught,
        serving(fake_opencode("broken"), home),
    ):
        pass
    assert "this is no opencode" in caught.value.why
