from __future__ import annotations

import pytest

from opencode_patcher.drill.fakes.conversation import Conversation
from opencode_patcher.drill.fakes.plan import Reply, Text, ToolCall, Turn, next_reply

A, B, C = (ToolCall(id=f"call_{name}", name="bash", arguments={}) for name in "abc")
BOTH, ONE, LAST = Reply(content=(Text(text="Now."), A, B)), Reply(content=(C,)), Reply(content=(Text(text="Done."),))
TURN = Turn(prompt="Do it.", replies=(BOTH, ONE, LAST))


def after(*called: str, prompt: str = "Do it.") -> Conversation:
    return Conversation(model="m", system="", prompt=prompt, called=called, tools=())


@pytest.mark.parametrize(
    ("called", "reply"),
    [
        ((), BOTH),
        (("call_a-alpha0",), Reply(content=(B,))),
        (("call_b-alpha0",), Reply(content=(A,))),
        (("call_a-alpha0", "call_b-beta3"), ONE),
        (("call_a-x0", "call_b-x0", "call_c-y1"), LAST),
        (("call_a-x0", "call_a-y0", "call_b-x0", "call_c-y1"), LAST),
    ],
)
def test_a_model_calls_what_was_not_called_yet(called: tuple[str, ...], reply: Reply) -> None:
    assert next_reply((TURN,), after(*called)) == reply


def test_an_unknown_prompt_has_no_reply() -> None:
    assert next_reply((TURN,), after(prompt="Something else.")) is None
