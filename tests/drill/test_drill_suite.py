"""The whole drill on a stand-in for the binary: many scenarios in one server, and what is repeated."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher import drill
from opencode_patcher.drill import dispatch, suite
from opencode_patcher.drill.scenarios.agents import QUESTION
from opencode_patcher.drill.scenarios.pace import Pace
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING, OVERLOADED
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario
from opencode_patcher.drill.verdict.judge import Verdict, judge
from opencode_patcher.drill.verdict.observation import Observation
from opencode_patcher.drill.verdict.report import as_json, summary, table_rows

Fake = Callable[[str], Path]

SERVED = ["healthy", "healthy-tool", "429-ten-hours", "503", "refused", "two-fail"]


class Watched:
    """Keeps the observation of each scenario."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []

    def __call__(self, observation: Observation, verdict: Verdict) -> None:
        assert verdict.scenario == observation.scenario.name
        self.seen.append(observation)


def test_scenarios_in_one_server_do_not_see_each_other(fake_opencode: Fake) -> None:
    watched = Watched()
    report = drill.run(fake_opencode("patched"), drill.select(SERVED), watch=watched)
    assert {one.scenario: one.failures for one in report.failed} == {}
    assert len(watched.seen) == len(SERVED)
    for observation in watched.seen:
        known = {provider.id for provider in observation.scenario.providers}
        assert {exchange.provider for exchange in observation.exchanges} <= known
        assert observation.session
        assert {message.provider for message in observation.session.messages} <= known


def test_one_home_serves_all_and_a_few_projects_are_shared(fake_opencode: Fake, tmp_path: Path) -> None:
    drill.run(fake_opencode("patched"), drill.select([*SERVED, "cut-in-text"]), keep=tmp_path)
    [home] = tmp_path.glob("drill-*/home")
    projects = {path.name for path in home.parent.glob("projects/*")}
    assert {"looked-at", "shared", "cut-in-text"} <= projects
    assert projects.isdisjoint(SERVED)
    settings = json.loads((home.parent / "projects" / "shared" / "opencode.json").read_text())
    priority, groups = settings["provider_priority"], settings["combined"]["groups"]
    assert len(set(priority)) == len(priority) == len(settings["provider"])
    assert sorted(member.partition("/")[0] for group in groups.values() for member in group) == sorted(priority)


def test_isolated_scenarios_have_their_own_homes(fake_opencode: Fake, tmp_path: Path) -> None:
    report = drill.run(fake_opencode("patched"), drill.select(SERVED[:2]), keep=tmp_path, isolated=True)
    assert report.passed
    assert report.healthy_seconds is None
    assert {path.parent.name for path in tmp_path.glob("drill-*/*/home")} == {*SERVED[:2], "probe"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a stand-in keeps, unless it is slow."""
    monkeypatch.setattr(dispatch, "PATCHED_SECONDS", 1.0)
    monkeypatch.setattr(suite, "pace", lambda _: Pace())


def slow(name: str = "slow") -> Scenario:
    """Two turns; the ``slow`` stand-in takes too long for the second."""
    return Scenario(
        name=name,
        title=name,
        providers=(ALPHA, BETA),
        turns=(GREETING, QUESTION),
        expected=Expectation(served_by=("alpha", "alpha")),
    )


@pytest.mark.usefixtures("impatient")
def test_a_scenario_that_is_only_too_slow_is_repeated_once_and_still_counts(fake_opencode: Fake) -> None:
    watched = Watched()
    report = drill.run(fake_opencode("slow"), [slow()], watch=watched)
    assert [observation.scenario.name for observation in watched.seen] == ["slow", "slow"]
    [verdict] = report.verdicts
    assert not verdict.passed
    assert verdict.late
    assert "the turn had not ended after 1 s" in verdict.first_try


@pytest.mark.usefixtures("impatient")
def test_many_late_scenarios_are_not_repeated(fake_opencode: Fake) -> None:
    watched = Watched()
    scenarios = [slow(f"slow-{number}") for number in range(suite.MOST_REPEATS + 1)]
    report = drill.run(fake_opencode("slow"), scenarios, watch=watched)
    assert len(watched.seen) == len(scenarios)
    assert not any(verdict.first_try for verdict in report.verdicts)
    assert len(report.failed) == len(scenarios)


def test_a_wrong_answer_is_not_repeated(fake_opencode: Fake) -> None:
    watched = Watched()
    report = drill.run(fake_opencode("sloppy"), drill.select(["healthy-tool"]), watch=watched)
    assert len(watched.seen) == 1
    assert not report.passed
    assert not report.failed[0].late


@pytest.mark.usefixtures("impatient")
def test_a_second_try_that_passes_is_reported(fake_opencode: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = iter([True, False])
    real = judge

    def late_at_first(observation: Observation) -> Verdict:
        verdict = real(observation)
        return replace(verdict, failures=("the turn had not ended",), late=True) if next(judged) else verdict

    monkeypatch.setattr(suite, "judge", late_at_first)
    report = drill.run(fake_opencode("patched"), drill.select(["healthy"]))
    assert report.passed
    assert [one.first_try for one in report.repeated] == [("the turn had not ended",)]
    assert table_rows(report)[0][-1] == "passed at the second try"
    assert "1 of them in a second try, alone" in summary(report)
    [scenario] = json.loads(json.dumps(as_json(report)))["scenarios"]
    assert (scenario["passed"], scenario["first_try"]) == (True, ["the turn had not ended"])


def test_an_endless_turn_counts_as_slow_but_a_refused_request_does_not(fake_opencode: Fake) -> None:
    overloaded = replace(slow("overloaded"), providers=(replace(ALPHA, then=OVERLOADED), BETA))
    watched = Watched()
    report = drill.run(fake_opencode("stock"), [overloaded], limit=1, watch=watched)
    assert report.verdicts[0].late
    violated = replace(watched.seen[0].exchanges[0], violations=("no key",))
    assert not judge(replace(watched.seen[0], exchanges=(violated,))).late
