from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from opencode_patcher.drill.fakes.anthropic_messages import AnthropicMessages
from opencode_patcher.drill.fakes.faults import At, Chunk, before_break
from opencode_patcher.drill.fakes.plan import Reasoning, Reply, Text, ToolCall

CLAUDE = AnthropicMessages()
CALL = ToolCall(id="call_a", name="bash", arguments={"command": "ls"})
WHOLE = Reply(content=(Reasoning(text="Let me think."), Text(text="I, {provider}, will."), CALL))
CHUNKS = CLAUDE.chunks(WHOLE, provider="beta", model="m", number=3)


def events(chunks: Sequence[Chunk] = CHUNKS) -> list[dict[str, Any]]:
    return [json.loads(chunk.data.split(b"data: ", 1)[1]) for chunk in chunks]


def test_events_are_named_as_their_type() -> None:
    for chunk, event in zip(CHUNKS, events(), strict=True):
        assert chunk.data.startswith(f"event: {event['type']}\n".encode())
    assert events()[0]["type"] == "message_start"
    assert events()[-1]["type"] == "message_stop"


def test_every_block_is_opened_and_closed() -> None:
    opened = [event["index"] for event in events() if event["type"] == "content_block_start"]
    closed = [event["index"] for event in events() if event["type"] == "content_block_stop"]
    assert opened == closed == [0, 1, 2]


def test_the_deltas_give_the_whole_content() -> None:
    deltas = [event["delta"] for event in events() if event["type"] == "content_block_delta"]
    assert "".join(delta.get("thinking", "") for delta in deltas) == "Let me think."
    assert "".join(delta.get("text", "") for delta in deltas) == "I, beta, will."
    assert json.loads("".join(delta.get("partial_json", "") for delta in deltas)) == {"command": "ls"}
    assert [delta["signature"] for delta in deltas if "signature" in delta] == ["signed-by-anthropic"]


def test_the_finish_says_why_and_reports_tokens() -> None:
    finish = events()[-2]
    assert (finish["delta"]["stop_reason"], finish["usage"]) == ("tool_use", {"output_tokens": 100})
    said = CLAUDE.chunks(Reply(content=(Text(text="Yes."),)), provider="a", model="m", number=0)
    assert events(said)[-2]["delta"]["stop_reason"] == "end_turn"


def test_a_break_in_a_tool_call_leaves_it_unfinished() -> None:
    assert events(before_break(CHUNKS, At.TOOL_INPUT))[-1]["delta"] == {
        "type": "input_json_delta",
        "partial_json": '{"comman',
    }


THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "signed-by-anthropic"}
ON = {"thinking": {"type": "enabled", "budget_tokens": 2000}}


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": [*blocks]}


def said(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": [*blocks]}


def text(words: str = "Do it.") -> dict[str, Any]:
    return {"type": "text", "text": words}


def use(id: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": "bash", "input": {}}


def result(id: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, "content": "ok"}


def test_a_valid_request_is_accepted() -> None:
    messages = [
        user(text()),
        said(THOUGHT, text("I will."), use("a"), use("b")),
        user(result("a"), result("b")),
        said(use("c")),
        user(result("c")),
    ]
    assert CLAUDE.violations({"messages": messages, **ON}) == ()


def test_a_finished_turn_needs_no_thinking() -> None:
    messages = [user(text()), said(use("a")), user(result("a")), said(text("Done.")), user(text("Again."))]
    assert CLAUDE.violations({"messages": messages, **ON}) == ()


def test_neighbours_of_one_role_are_one_turn() -> None:
    messages = [user(text()), said(THOUGHT, use("a"), use("b")), user(result("a")), user(result("b")), user(text())]
    assert CLAUDE.violations({"messages": messages, **ON}) == ()


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([], "no messages"),
        ([said(text())], "first message is not the user's"),
        ([user(text(" "))], "empty"),
        ([user()], "empty"),
        ([user(text()), said(use("a")), user(text("And?"))], "tool call a has no result"),
        ([user(text()), said(use("a"))], "tool call a has no result"),
        ([user(text()), said(text("Hm.")), user(result("a"))], "without a matching tool call (a)"),
        ([user(text()), said(use("a")), user(result("a")), said(use("a")), user(result("a"))], "used twice"),
        ([user(text()), said(text("Half a"))], "ends with an assistant message"),
        ([user(text()), said(text("I will."), use("a")), user(result("a"))], "without starting with a thinking block"),
    ],
)
def test_an_invalid_request_is_refused(messages: list[dict[str, Any]], complaint: str) -> None:
    found = CLAUDE.violations({"messages": messages, **ON})
    assert any(complaint in sentence for sentence in found), found


def test_without_thinking_nothing_needs_a_signature() -> None:
    messages = [user(text()), said(use("a")), user(result("a"))]
    assert CLAUDE.violations({"messages": messages, "thinking": {"type": "disabled"}}) == ()


def test_a_signature_of_another_signer_is_refused() -> None:
    body = {"messages": [user(text()), said(THOUGHT, use("a")), user(result("a"))]}
    assert CLAUDE.refusal(body, "beta") is None
    refused = AnthropicMessages(signer="another").refusal(body, "beta")
    assert refused
    assert (refused.status, "signature" in refused.message) == (400, True)


def test_a_tool_result_is_not_a_prompt() -> None:
    body = {
        "model": "m",
        "system": [text("You are a title generator.")],
        "messages": [user(text("First.")), said(use("a")), user(result("a")), said(use("b")), user(result("b"))],
        "tools": [{"name": "bash"}],
    }
    found = CLAUDE.conversation(body)
    assert (found.prompt, found.called, found.tools) == ("First.", ("a", "b"), ("bash",))
    assert "title generator" in found.system


def test_the_key_has_its_own_header() -> None:
    assert CLAUDE.authorised({"x-api-key": "k"}, "k")
    assert not CLAUDE.authorised({"authorization": "Bearer k"}, "k")


def test_errors_look_like_anthropics() -> None:
    assert json.loads(CLAUDE.error_body(529, "Busy", ""))["error"]["type"] == "overloaded_error"
    assert b"event: error\n" in CLAUDE.error_event("Busy").data
