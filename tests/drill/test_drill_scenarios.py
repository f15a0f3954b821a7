from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from opencode_patcher.base.errors import UsageError
from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.faults import Abandoned, Broken, Fault, Garbled, HttpError, before_break
from opencode_patcher.drill.fakes.plan import TITLE
from opencode_patcher.drill.fakes.provider import Outage, ProviderSpec
from opencode_patcher.drill.scenarios.benchmark import BENCH_SCENARIOS
from opencode_patcher.drill.scenarios.quick import ALPHA, RATE_LIMITED, SCENARIOS
from opencode_patcher.drill.scenarios.scenario import Scenario, Through
from opencode_patcher.drill.scenarios.selection import ALL_SCENARIOS, select


def faults(provider: ProviderSpec) -> list[Fault]:
    every = [*provider.faults, provider.then, *(one for group in provider.others.values() for one in group)]
    return [fault for fault in every if fault]


@pytest.mark.parametrize("scenario", ALL_SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_is_consistent(scenario: Scenario) -> None:
    known = {provider.id for provider in scenario.providers}
    expected = scenario.expected
    assert set(expected.requests) | set(expected.at_most) <= known
    assert expected.returns in known | {""}
    assert set(expected.served_by or ()) <= known
    replies = [reply for turn in scenario.turns for reply in turn.replies]
    if expected.served_by:
        assert len(expected.served_by) == len(scenario.replies)
    calls = [call.id for reply in scenario.replies for call in reply.tools]
    assert len(set(calls)) == len(calls)
    # Only the turn after one that was killed has no replies of its own.
    assert scenario.turns[0].replies
    assert all(one.killed or next_one.replies for one, next_one in itertools.pairwise(scenario.turns))
    for turn in scenario.turns:
        steered = bool(turn.steered) or turn.passed
        served = turn.compact or turn.elsewhere or turn.cancel is not None or turn.undone or steered
        assert scenario.through is Through.SERVE or not served
        assert scenario.through is Through.RUN or not turn.arguments
        assert all(reply.tools for reply in turn.replies[:-1])
        assert not any(reply.tools for reply in turn.replies[-1:])
        assert scenario.through is Through.RUN or not turn.killed
    for provider in scenario.providers:
        for fault in faults(provider):
            if isinstance(fault, Broken | Abandoned | Garbled):
                chunks = provider.protocol.chunks(replies[0], provider=provider.id, model=provider.model, number=0)
                assert len(before_break(chunks, fault.at)) < len(chunks)


def test_names_are_unique() -> None:
    assert len({scenario.name for scenario in ALL_SCENARIOS}) == len(ALL_SCENARIOS)
    assert len({scenario.title for scenario in ALL_SCENARIOS}) == len(ALL_SCENARIOS)


def test_the_public_benchmark_is_complete() -> None:
    assert [scenario.name for scenario in BENCH_SCENARIOS] == [f"s{number:02}" for number in range(1, 17)]


def test_an_outage_ends_with_its_time() -> None:
    provider = replace(ALPHA, outage=Outage(seconds=8, fault=RATE_LIMITED))
    assert provider.fault(Purpose.TURN, 5, 7.9) is RATE_LIMITED
    assert provider.fault(Purpose.TURN, 5, 8.1) is None
    assert provider.fault(Purpose.TITLE, 0, 0.0) is None


def test_every_build_must_pass_these() -> None:
    """Taking one away makes every build easier to pass, so it must be done here too."""
    assert [scenario.name for scenario in SCENARIOS] == [
        "healthy",
        "healthy-tool",
        "429",
        "429-ten-hours",
        "500",
        "503",
        "refused",
        "cut-at-start",
        "cut-in-text",
        "closed-in-text",
        "cut-in-tool",
        "cut-at-tool",
        "cut-after-tool",
        "fault-after-tool",
        "two-fail",
        "title-429",
        "all-overloaded",
        "all-fail",
    ]


def test_the_quick_set_uses_a_server_and_run() -> None:
    assert {scenario.through for scenario in SCENARIOS} >= {Through.RUN, None}


def test_the_faults_of_a_conversation_and_of_titles_are_counted_separately() -> None:
    then = HttpError(status=500, message="")
    provider = ProviderSpec(
        id="alpha",
        model="m",
        price=ALPHA.price,
        faults=(None, RATE_LIMITED),
        then=then,
        others={Purpose.TITLE: (RATE_LIMITED,)},
    )
    assert [provider.fault(Purpose.TURN, n) for n in range(3)] == [None, RATE_LIMITED, then]
    assert [provider.fault(Purpose.TITLE, n) for n in range(2)] == [RATE_LIMITED, None]
    assert provider.fault(Purpose.SUMMARY, 0) is None


def test_scenarios_are_selected_by_name_in_the_order_of_the_table() -> None:
    assert [scenario.name for scenario in select(["503", "healthy"])] == ["healthy", "503"]
    assert select([], quick=True) == SCENARIOS
    assert select([]) == ALL_SCENARIOS
    assert [scenario.name for scenario in select(["signed-thinking", "s08"])] == ["s08", "signed-thinking"]


def test_an_unknown_scenario_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        select(["cut-in-texte"])
    assert "cut-in-text" in caught.value.why
    assert caught.value.exit_code == 2


def test_a_title_is_a_text() -> None:
    assert TITLE.text("alpha") == "Failover drill"
