from __future__ import annotations

import pytest

from opencode_patcher.drill.conversation import Purpose
from opencode_patcher.drill.faults import Broken, Fault, HttpError, before_break
from opencode_patcher.drill.openai_chat import OpenAIChat
from opencode_patcher.drill.plan import TITLE
from opencode_patcher.drill.scenario import Provider, Scenario
from opencode_patcher.drill.scenarios import ALPHA, RATE_LIMITED, SCENARIOS
from opencode_patcher.drill.suite import select
from opencode_patcher.errors import UsageError


def faults(provider: Provider) -> list[Fault]:
    every = [*provider.faults, provider.then, *(one for group in provider.others.values() for one in group)]
    return [fault for fault in every if fault]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_is_consistent(scenario: Scenario):
    known = {provider.id for provider in scenario.providers}
    expected = scenario.expected
    assert set(expected.requests) <= known
    assert set(expected.served_by or ()) <= known
    assert set(expected.error) <= known
    replies = [reply for turn in scenario.turns for reply in turn.replies]
    if expected.served_by:
        assert len(expected.served_by) == len(replies)
    for turn in scenario.turns:
        assert all(reply.tools for reply in turn.replies[:-1])
        assert not turn.replies[-1].tools
    for provider in scenario.providers:
        for fault in faults(provider):
            if isinstance(fault, Broken):
                chunks = OpenAIChat().chunks(replies[0], provider=provider.id, model=provider.model, number=0)
                assert len(before_break(chunks, fault.at)) < len(chunks)


def test_names_are_unique():
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


def test_what_must_be_proven_first_is_there():
    assert {"healthy", "429", "503", "refused", "cut-in-text", "cut-after-tool"} <= {s.name for s in SCENARIOS}


def test_the_faults_of_a_conversation_and_of_titles_are_counted_apart():
    then = HttpError(status=500, message="")
    provider = Provider(
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


def test_scenarios_are_selected_by_name_in_the_order_of_the_table():
    assert [scenario.name for scenario in select(["503", "healthy"])] == ["healthy", "503"]
    assert select([]) == SCENARIOS


def test_an_unknown_scenario_names_the_nearest():
    with pytest.raises(UsageError) as caught:
        select(["cut-in-texte"])
    assert "cut-in-text" in caught.value.why
    assert caught.value.exit_code == 2


def test_a_title_is_a_text():
    assert TITLE.text("alpha") == "Failover drill"
