"""What an editor shows over the Agent Client Protocol, and the client that speaks it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from opencode_patcher.base.errors import DrillError
from opencode_patcher.drill.drivers.acp_client import running
from opencode_patcher.drill.drivers.home import prepare
from opencode_patcher.drill.fakes.wire import Object
from opencode_patcher.drill.verdict.acp_view import shown, wrong
from tests.drill.drill_samples import message, session, text


def chunk(id: str, words: str) -> Object:
    return {"sessionUpdate": "agent_message_chunk", "messageId": id, "content": {"type": "text", "text": words}}


def thought(words: str) -> Object:
    return {"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": words}}


def tool(status: str) -> Object:
    return {"sessionUpdate": "tool_call_update", "toolCallId": "call_one", "status": status}


def usage(cost: float) -> Object:
    return {"sessionUpdate": "usage_update", "cost": {"amount": cost, "currency": "USD"}}


SESSION = session(message("beta", text("The whole answer."), cost=0.006))
HALF = chunk("msg_1", "The wh")
WHOLE = (chunk("msg_2", "The whole "), chunk("msg_2", "answer."))
TAKEN_BACK = thought("The text above was discarded: its provider failed.\n")
SWITCHED = thought("Failover: alpha (503), beta takes over\n")


def test_words_of_one_message_belong_together() -> None:
    assert shown((HALF, *WHOLE)) == {"msg_1": "The wh", "msg_2": "The whole answer."}


@pytest.mark.parametrize(
    "updates",
    [
        (*WHOLE, usage(0.006)),
        (HALF, TAKEN_BACK, SWITCHED, *WHOLE, usage(0.006)),
        (HALF, TAKEN_BACK, chunk("msg_0", "The wh"), TAKEN_BACK, SWITCHED, *WHOLE, usage(0.006)),
        (chunk("msg_1", "The whole answer."), TAKEN_BACK, SWITCHED, *WHOLE, usage(0.006)),
        (tool("pending"), tool("failed"), *WHOLE, usage(0.002), usage(0.006)),
    ],
)
def test_announced_discarded_text_is_fine(updates: tuple[Object, ...]) -> None:
    assert list(wrong(updates, SESSION)) == []


@pytest.mark.parametrize(
    ("updates", "complaint"),
    [
        ((HALF, *WHOLE, usage(0.006)), "shows 'The wh', but was not told that it was discarded"),
        ((HALF, thought("Let me see."), TAKEN_BACK, *WHOLE, usage(0.006)), "not told that it was discarded"),
        ((chunk("msg_1", "The whole answer."), *WHOLE, usage(0.006)), "not told that it was discarded"),
        ((HALF, TAKEN_BACK, *WHOLE, usage(0.006)), "was not told who takes over after 'The wh'"),
        (
            (HALF, TAKEN_BACK, SWITCHED, chunk("msg_0", "The wh"), TAKEN_BACK, *WHOLE, usage(0.006)),
            "was not told who takes over after 'The wh'",
        ),
        ((HALF, TAKEN_BACK, usage(0.006)), "did not get 'The whole answer.' exactly once and complete"),
        ((*WHOLE, *WHOLE, usage(0.006)), "did not get 'The whole answer.' exactly once and complete"),
        ((tool("in_progress"), *WHOLE, usage(0.006)), "the tool call call_one as in_progress forever"),
        ((*WHOLE, usage(0.003)), "cost $0.0030 instead of $0.0060"),
        (WHOLE, "cost $0.0000 instead of $0.0060"),
    ],
)
def test_wrong_texts_in_an_editor_are_reported(updates: tuple[Object, ...], complaint: str) -> None:
    assert any(complaint in sentence for sentence in wrong(updates, SESSION))


AGENT = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked["method"] == "silence":
        continue
    print("a line of a log", flush=True)
    update = {"sessionUpdate": "about", "method": asked["method"]}
    print(json.dumps({"jsonrpc": "2.0", "method": "session/update", "params": {"update": update}}), flush=True)
    answer = {"error": {"message": "no"}} if asked["method"] == "refuse" else {"result": asked["params"]}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}), flush=True)
    if asked["method"] == "leave":
        break
"""


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """A program that answers each request with its parameters."""
    path = tmp_path / "agent"
    path.write_text(f"#!{sys.executable}\n{AGENT}")
    path.chmod(0o755)
    return path


def test_requests_are_answered_and_updates_kept(agent: Path, tmp_path: Path) -> None:
    with running(agent, prepare(tmp_path / "home", {}), 10) as client:
        assert client.call("one", {"two": 3}, 10) == {"two": 3}
        assert client.call("silence", {}, 0.2) is None
        with pytest.raises(DrillError, match="does not answer refuse"):
            client.call("refuse", {}, 10)
    assert [json.loads(json.dumps(update))["method"] for update in client.updates] == ["initialize", "one", "refuse"]
    assert "a line of a log" in client.stderr


def test_an_agent_that_has_ended_is_not_waited_for(agent: Path, tmp_path: Path) -> None:
    with running(agent, prepare(tmp_path / "home", {}), 10) as client:
        client.call("leave", {}, 10)
        with pytest.raises(DrillError, match="does not answer more"):
            client.call("more", {}, 60)


def test_a_program_that_is_not_an_agent_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "agent"
    path.write_text("#!/bin/sh\necho I know nothing of this >&2\n")
    path.chmod(0o755)
    with pytest.raises(DrillError, match="does not answer initialize"), running(path, prepare(tmp_path / "h", {}), 10):
        pass
