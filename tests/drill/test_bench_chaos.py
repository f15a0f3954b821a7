"""The chaos of ``bench.chaos``: its plan is a function of the seed, and its check finds what is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.chaos.check import healthy, violations
from bench.chaos.plan import GROUPS, STEADY_FAULTS, TURNS_PER_SESSION, Round, members, provider, session
from bench.chaos.run import HEALTH, drafts, running_tools
from opencode_patcher.drill.fakes.exchange import Exchange
from opencode_patcher.drill.fakes.faults import HttpError
from opencode_patcher.drill.fakes.plan import Reply, Text, ToolCall, Turn
from opencode_patcher.drill.fakes.usage import USAGE
from opencode_patcher.drill.scenarios.scenario import EFFECTS
from opencode_patcher.drill.verdict.observation import StoredMessage, StoredPart
from tests.drill.drill_samples import exchange

A, B = (ToolCall(id=f"line-1x0s0c{number}", name="bash", arguments={}) for number in range(2))
ROUND = Round(
    turn=Turn(
        prompt="Do it.", replies=(Reply(content=(Text(text="Two."), A, B)), Reply(content=(Text(text="Done."),)))
    ),
    faults=((), (), ()),
)
PROVIDERS = members(0, ROUND)
LINES = Counter({A.id: 1, B.id: 1})


def message(by: int, *parts: StoredPart, paid: int = 1) -> StoredMessage:
    member = provider(0, by)
    cost = paid * member.price.cost(USAGE)
    return StoredMessage(provider=member.id, model=member.model, cost=cost, error="", completed=True, parts=parts)


def text(words: str) -> StoredPart:
    return StoredPart(kind="text", text=words)


def tool(id: str, status: str = "completed") -> StoredPart:
    return StoredPart(kind="tool", call=f"{id}-a0", status=status, closed=status == "completed")


WHOLE = (message(0, text("Two."), tool(A.id), tool(B.id)), message(0, text("Done.")))
ASKED = (exchange("a0", 1, 2, text="x"), exchange("a0", 3, 4, text="x"))


def found(
    messages: Sequence[StoredMessage] = WHOLE,
    *,
    asked: int = 1,
    lines: Counter[str] = LINES,
    exchanges: Sequence[Exchange] = ASKED,
) -> tuple[str, ...]:
    return violations(ROUND, messages, asked=asked, lines=lines, exchanges=exchanges, providers=PROVIDERS)


def test_a_healthy_turn_has_nothing_wrong() -> None:
    assert found() == ()


def test_a_step_served_by_two_providers_is_fine() -> None:
    split = (message(0, text("Two."), tool(A.id), paid=0), message(1, tool(B.id)), message(1, text("Done.")))
    asked = (exchange("a0", 1, 2, complete=False), exchange("b0", 3, 4), exchange("b0", 5, 6))
    assert found(split, exchanges=asked) == ()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"messages": WHOLE[:1]}, "the transcript is"),
        ({"messages": (message(0, text("Tw"), text("Two."), tool(A.id), tool(B.id)), WHOLE[1])}, "the transcript is"),
        ({"messages": (*WHOLE, message(0, paid=0))}, "an empty message is left"),
        ({"messages": (replace(WHOLE[0], completed=False), WHOLE[1])}, "is not completed"),
        ({"messages": (replace(WHOLE[0], error="Bad"), WHOLE[1])}, "has an error: Bad"),
        (
            {"messages": (message(0, text("Two."), tool(A.id), tool(B.id, "running")), WHOLE[1])},
            "tool part of a0 is running",
        ),
        ({"messages": (message(0, text("Two."), tool(A.id), tool(B.id), paid=3), WHOLE[1])}, "of a0 cost"),
        ({"asked": 2}, "2 messages of the user"),
        ({"lines": LINES + Counter({A.id: 1})}, "took effect 2 times"),
        ({"lines": Counter({A.id: 1})}, "took effect 0 times"),
        ({"exchanges": (replace(ASKED[0], violations=("no key",)), ASKED[1])}, "a0 refused: no key"),
    ],
)
def test_violations_are_reported(changes: dict[str, Any], complaint: str) -> None:
    assert any(complaint in sentence for sentence in found(**changes)), found(**changes)


def test_equal_seeds_give_equal_sessions() -> None:
    assert session(7) == session(7)
    assert session(7) != session(8)
    assert len(session(7)) == TURNS_PER_SESSION


def test_every_effect_of_a_run_has_a_unique_name() -> None:
    lines = [line for seed in range(60) for one in session(seed) for line in one.lines]
    assert len(set(lines)) == len(lines)
    prompts = [one.turn.prompt for seed in range(60) for one in session(seed)]
    assert len(set(prompts)) == len(prompts)


def test_one_member_of_each_group_always_recovers() -> None:
    for seed in range(3 * GROUPS):
        steady = seed % GROUPS % 3
        for one in session(seed):
            faults = [fault for fault in one.faults[steady] if fault]
            assert len(faults) <= STEADY_FAULTS
            assert all(isinstance(fault, HttpError) and "retry-after-ms" in fault.headers for fault in faults)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of processes")
def test_a_tool_that_is_still_running_is_found(tmp_path: Path) -> None:
    command = f"echo started; read line; echo {A.id} >> {EFFECTS}"
    with subprocess.Popen(
        ["/bin/sh", "-c", command], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as tool:
        assert tool.stdin
        assert tool.stdout
        # Linux knows a program's words only some time after it was started.
        assert tool.stdout.readline() == b"started\n"
        assert [command in found for found in running_tools(tmp_path)] == [True]
        assert running_tools(tmp_path / "elsewhere") == []
        tool.stdin.write(b"continue\n")
    assert running_tools(tmp_path) == []


def test_a_draft_beside_the_file_of_the_health_is_found(tmp_path: Path) -> None:
    state = tmp_path / ".local" / "state" / "opencode"
    state.mkdir(parents=True)
    (state / HEALTH).write_text("{}")
    assert drafts(tmp_path) == []
    (state / f"{HEALTH}.4711").write_text("{")
    assert [path.name for path in drafts(tmp_path)] == [f"{HEALTH}.4711"]


def test_health_is_without_faults() -> None:
    assert all(faults == () for one in session(3, healthy=True) for faults in one.faults)
    assert healthy(session(3)[0].turn.replies) == healthy(session(3, healthy=True)[0].turn.replies)
