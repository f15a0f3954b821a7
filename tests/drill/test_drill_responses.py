from __future__ import annotations

import json
from typing import Any

import pytest

from opencode_patcher.drill.fakes.openai_responses import OpenAIResponses
from opencode_patcher.drill.fakes.plan import Reasoning, Reply, Text, ToolCall

GPT = OpenAIResponses()
CALL = ToolCall(id="call_a", name="bash", arguments={"command": "ls"})
WHOLE = Reply(content=(Reasoning(text="Let me think."), Text(text="I, {provider}, will."), CALL))


def events() -> list[dict[str, Any]]:
    chunks = GPT.chunks(WHOLE, provider="beta", model="m", number=3)
    return [json.loads(chunk.data.split(b"data: ", 1)[1]) for chunk in chunks]


def of(kind: str) -> list[dict[str, Any]]:
    return [event for event in events() if event["type"] == f"response.{kind}"]


def test_every_item_is_added_and_done_under_one_id() -> None:
    added = [event["item"]["id"] for event in of("output_item.added")]
    assert added == [event["item"]["id"] for event in of("output_item.done")]
    assert len(set(added)) == 3


def test_the_deltas_give_the_whole_content() -> None:
    assert "".join(event["delta"] for event in of("output_text.delta")) == "I, beta, will."
    assert "".join(event["delta"] for event in of("reasoning_summary_text.delta")) == "Let me think."
    arguments = "".join(event["delta"] for event in of("function_call_arguments.delta"))
    assert json.loads(arguments) == {"command": "ls"}
    assert of("output_item.done")[-1]["item"]["call_id"] == "call_a-beta3"


def test_reasoning_is_encrypted_for_its_provider() -> None:
    assert of("output_item.done")[0]["item"]["encrypted_content"] == "sealed-by-beta"


def test_the_completion_reports_tokens() -> None:
    (completed,) = of("completed")
    assert (completed["response"]["usage"]["input_tokens"], completed["response"]["usage"]["output_tokens"]) == (
        1000,
        100,
    )


def user(words: str = "Do it.") -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "input_text", "text": words}]}


def call(id: str, arguments: str = "{}") -> dict[str, Any]:
    return {"type": "function_call", "call_id": id, "name": "bash", "arguments": arguments}


def output(id: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id, "output": "ok"}


def reasoning(by: str = "beta", **more: object) -> dict[str, Any]:
    return {"type": "reasoning", "encrypted_content": f"sealed-by-{by}", "summary": [], **more}


def test_a_valid_request_is_accepted() -> None:
    items = [{"role": "developer", "content": "You help."}, user(), reasoning(), call("a"), output("a")]
    assert GPT.violations({"input": items}) == ()
    assert GPT.refusal({"input": items}, "beta") is None


@pytest.mark.parametrize(
    ("items", "complaint"),
    [
        ([], "no input"),
        ([user(), call("a")], "tool call a has no output"),
        ([user(), output("a")], "without a matching tool call (a)"),
        ([user(), call("a"), call("a"), output("a")], "used 2 times"),
        ([user(), call("a", "{"), output("a")], "are not JSON"),
        ([user(" ")], "is empty"),
        ([user(), reasoning(), user()], "without the item that follows"),
        ([user(), reasoning()], "without the item that follows"),
    ],
)
def test_an_invalid_request_is_refused(items: list[dict[str, Any]], complaint: str) -> None:
    found = GPT.violations({"input": items})
    assert any(complaint in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("item", "status", "code"),
    [
        (reasoning("alpha"), 400, "invalid_encrypted_content"),
        ({"type": "item_reference", "id": "rs_1"}, 404, ""),
        ({"type": "reasoning", "id": "rs_1", "summary": []}, 404, ""),
    ],
)
def test_items_of_another_account_are_refused(item: dict[str, Any], status: int, code: str) -> None:
    refused = GPT.refusal({"input": [user(), item, call("a"), output("a")]}, "beta")
    assert refused
    assert (refused.status, refused.code) == (status, code)


def test_a_conversation_tells_the_prompt_and_the_calls_since() -> None:
    items = [
        {"role": "system", "content": "You help."},
        user("First."),
        call("a"),
        output("a"),
        user("Second."),
        call("b"),
    ]
    found = GPT.conversation({"model": "m", "input": items, "tools": [{"type": "function", "name": "bash"}]})
    assert (found.prompt, found.called, found.tools) == ("Second.", ("b",), ("bash",))
    assert "You help." in found.system
