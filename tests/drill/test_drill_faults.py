from __future__ import annotations

from dataclasses import replace

import pytest

from opencode_patcher.drill.fakes.answer import Stream, decide
from opencode_patcher.drill.fakes.faults import (
    Abandoned,
    At,
    Broken,
    ChunkKind,
    How,
    HttpError,
    Slow,
    before_break,
    describe,
)
from opencode_patcher.drill.fakes.openai_chat import OpenAIChat
from opencode_patcher.drill.fakes.plan import Reasoning, Reply, Text, ToolCall
from opencode_patcher.drill.scenarios.quick import ALPHA, GREETING

CHUNKS = OpenAIChat().chunks(
    Reply(
        content=(
            Reasoning(text="one two three four"),
            Text(text="five six seven"),
            ToolCall(id="a", name="bash", arguments={"command": "ls"}),
            ToolCall(id="b", name="bash", arguments={"command": "pwd"}),
        )
    ),
    provider="alpha",
    model="m",
    number=0,
)


@pytest.mark.parametrize(
    ("at", "last", "text"),
    [
        (At.START, ChunkKind.START, ""),
        (At.REASONING, ChunkKind.REASONING, "two "),
        (At.TEXT, ChunkKind.TEXT, "six "),
        (At.TOOL_INPUT, ChunkKind.TOOL_INPUT, "bash"),
        (At.CONTENT, ChunkKind.TOOL_READY, "bash"),
    ],
)
def test_a_break_comes_after_the_named_place(at: At, last: ChunkKind, text: str) -> None:
    sent = before_break(CHUNKS, at)
    assert (sent[-1].kind, sent[-1].text) == (last, text)
    assert sent == CHUNKS[: len(sent)]


def test_a_tool_call_breaks_in_the_last_call() -> None:
    sent = before_break(CHUNKS, At.TOOL_INPUT)
    assert [chunk.kind for chunk in sent].count(ChunkKind.TOOL_READY) == 1


def test_before_the_first_event_nothing_is_sent() -> None:
    assert before_break(CHUNKS, At.HEADERS) == ()


def test_a_reply_without_the_place_breaks_after_its_content() -> None:
    plain = tuple(chunk for chunk in CHUNKS if chunk.kind is not ChunkKind.TOOL_INPUT)
    assert before_break(plain, At.TOOL_INPUT) == before_break(plain, At.CONTENT)


def test_a_number_counts_events() -> None:
    assert before_break(CHUNKS, 3) == CHUNKS[:3]


def test_an_abandoned_answer_ends_properly_with_its_own_reason() -> None:
    body = {"model": ALPHA.model, "messages": [{"role": "user", "content": GREETING.prompt}], "tools": [{}]}
    found = decide(
        protocol=OpenAIChat(),
        provider=replace(ALPHA, then=Abandoned(at=At.TEXT, reason="abort")),
        turns=(GREETING,),
        headers={"authorization": f"Bearer {ALPHA.key}"},
        body=body,
        number=0,
    )
    assert isinstance(found.answer, Stream)
    *words, finish, done = found.answer.chunks
    assert (words[-1].kind, finish.kind, done.kind) == (ChunkKind.TEXT, ChunkKind.FINISH, ChunkKind.DONE)
    assert b'"finish_reason": "abort"' in finish.data
    assert found.answer.how is None


def test_faults_are_described_in_words() -> None:
    assert describe(HttpError(status=429, message="no")) == "429"
    assert describe(Broken(at=At.TEXT, how=How.RESET)) == "connection reset in the middle of the text"
    assert describe(Abandoned(at=At.TEXT, reason="abort")) == "finish reason abort in the middle of the text"
    assert describe(Broken(at=4, how=How.STALL)) == "stalled after 4 events"
    assert describe(Slow(seconds=2.5)) == "first token after 2.5 s"
