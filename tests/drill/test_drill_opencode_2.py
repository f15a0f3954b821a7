"""The scenarios as OpenCode 2 can play them."""

from __future__ import annotations

from opencode_patcher.drill.scenarios.opencode_2 import BY_RUN, LEFT_OUT, RESTARTED, playable
from opencode_patcher.drill.scenarios.scenario import Through
from opencode_patcher.drill.scenarios.selection import ALL_SCENARIOS


def test_what_is_left_out_has_a_reason() -> None:
    names = {scenario.name for scenario in ALL_SCENARIOS}
    assert set(LEFT_OUT) <= names
    assert all(LEFT_OUT.values())
    assert {scenario.name for scenario in playable(ALL_SCENARIOS)} == names - set(LEFT_OUT)


def test_the_tools_have_the_names_that_opencode_2_knows() -> None:
    played = playable(ALL_SCENARIOS)
    calls = {call.name for one in played for turn in one.asked for reply in turn.replies for call in reply.tools}
    assert calls <= {"shell", "subagent"}
    assert {one.through for one in played} == {Through.OPENCODE_2}


def test_a_drilled_tool_still_counts() -> None:
    before = {one.name: one.effects for one in ALL_SCENARIOS}
    assert {one.name: one.effects for one in playable(ALL_SCENARIOS)} == {
        name: count for name, count in before.items() if name not in LEFT_OUT
    }


def test_what_its_server_cannot_play_alone_is_played_all_the_same() -> None:
    assert {one.name for one in playable(ALL_SCENARIOS)} >= BY_RUN | RESTARTED
