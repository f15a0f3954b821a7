from __future__ import annotations

import json
from typing import Any

import pytest

from opencode_patcher.drill.fakes.conversation import Purpose, purpose
from opencode_patcher.drill.fakes.faults import ChunkKind
from opencode_patcher.drill.fakes.openai_chat import OpenAIChat
from opencode_patcher.drill.fakes.plan import Reasoning, Reply, Text, ToolCall

CHAT = OpenAIChat()
CALL = ToolCall(id="call_a", name="bash", arguments={"command": "echo “done”"})


def events(reply: Reply) -> list[dict[str, Any]]:
    chunks = CHAT.chunks(reply, provider="beta", model="m", number=3)
    assert all(chunk.data.startswith(b"data: ") and chunk.data.endswith(b"\n\n") for chunk in chunks)
    assert chunks[-1].data == b"data: [DONE]\n\n"
    return [json.loads(chunk.data[6:]) for chunk in chunks[:-1]]


def deltas(reply: Reply) -> list[dict[str, Any]]:
    return [event["choices"][0]["delta"] for event in events(reply)]


def test_text_arrives_word_by_word_and_whole() -> None:
    words = [d["content"] for d in deltas(Reply(content=(Text(text="Hello from {provider}, done."),)))[1:-1]]
    assert len(words) == 4
    assert "".join(words) == "Hello from beta, done."


def test_reasoning_comes_in_its_own_field() -> None:
    found = deltas(Reply(content=(Reasoning(text="Let me think."), Text(text="Yes."))))
    assert "".join(d.get("reasoning_content", "") for d in found) == "Let me think."
    assert "".join(d.get("content", "") for d in found) == "Yes."


def test_a_tool_call_arrives_in_pieces_under_a_fresh_id() -> None:
    calls = [d["tool_calls"][0] for d in deltas(Reply(content=(CALL,))) if "tool_calls" in d]
    assert calls[0]["id"] == "call_a-beta3"
    assert calls[0]["function"]["name"] == "bash"
    pieces = [call["function"]["arguments"] for call in calls]
    assert len([piece for piece in pieces if piece]) == 2
    assert json.loads("".join(pieces)) == CALL.arguments


def test_the_finish_says_why_and_reports_tokens() -> None:
    last = events(Reply(content=(Text(text="Yes."),)))[-1]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"]["prompt_tokens"] == 1000
    assert events(Reply(content=(CALL,)))[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_two_calls_have_two_indices() -> None:
    other = ToolCall(id="call_b", name="read", arguments={"path": "x"})
    calls = [d["tool_calls"][0] for d in deltas(Reply(content=(CALL, other))) if "tool_calls" in d]
    assert [call["index"] for call in calls] == [0, 0, 0, 1, 1, 1]


def test_the_error_event_is_what_openai_sends() -> None:
    chunk = CHAT.error_event("Overloaded")
    assert chunk.kind is ChunkKind.ERROR
    assert json.loads(chunk.data[6:])["error"]["message"] == "Overloaded"


def user(text: str = "Do it.") -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def asks(*ids: str, content: str = "") -> dict[str, Any]:
    calls = [
        {"id": id, "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}} for id in ids
    ]
    return {"role": "assistant", "content": content, "tool_calls": calls}


def result(id: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": "ok"}


def test_a_valid_request_is_accepted() -> None:
    messages = [
        {"role": "system", "content": "You help."},
        user(),
        asks("a", "b"),
        result("a"),
        result("b"),
        {"role": "assistant", "content": "Done."},
        user("Again."),
        asks("c"),
        result("c"),
    ]
    assert CHAT.violations({"messages": messages}) == ()


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([], "no messages"),
        ([user(), result("a")], "without a matching tool call (a)"),
        ([user(), asks("a"), result("a"), result("a")], "without a matching tool call (a)"),
        ([user(), asks("a"), user("And?")], "tool call a has no result"),
        ([user(), asks("a", "b"), result("b")], "tool call a has no result"),
        ([user(), asks("a"), user("And?"), result("a")], "tool call a has no result"),
        ([user(), asks("a", "a"), result("a")], "a is used twice"),
        ([user(), asks("a"), result("a"), asks("a"), result("a")], "a is used twice"),
        ([user("  ")], "message 0 (user) is empty"),
        ([user(), {"role": "assistant", "content": None}, user()], "message 1 (assistant) is empty"),
        ([user(), {"role": "assistant", "content": "Half a"}], "ends with an assistant message"),
        (
            [
                user(),
                {"role": "assistant", "tool_calls": [{"id": "a", "function": {"arguments": "{"}}]},
                result("a"),
            ],
            "arguments of tool call a are not JSON",
        ),
    ],
)
def test_an_invalid_request_is_refused(messages: list[dict[str, Any]], complaint: str) -> None:
    found = CHAT.violations({"messages": messages})
    assert any(complaint in sentence for sentence in found), found


def test_a_conversation_tells_the_prompt_and_the_calls_since() -> None:
    messages = [
        user("First."),
        asks("a"),
        result("a"),
        user("Second."),
        asks("b"),
        result("b"),
        asks("c"),
        result("c"),
    ]
    tools = [{"type": "function", "function": {"name": "bash"}}]
    found = CHAT.conversation({"model": "m", "messages": messages, "tools": tools})
    assert (found.prompt, found.called, found.model, found.tools) == ("Second.", ("b", "c"), "m", ("bash",))


def test_purposes_are_told_by_the_system_prompt() -> None:
    def of(system: str) -> Purpose:
        messages = [{"role": "system", "content": system}, user()]
        return purpose(CHAT.conversation({"messages": messages}))

    assert of("You are a title generator. You output ONLY a thread title.") is Purpose.TITLE
    assert of("You are an anchored context summarization assistant for coding sessions.") is Purpose.SUMMARY
    assert of("You are opencode, an agent.") is Purpose.TURN
