from __future__ import annotations

import json

from opencode_patcher.drill.verdict.observation import error_message, parse_event, parse_export


def test_lines_of_stdout_that_are_not_events_are_left_out() -> None:
    assert parse_event("Performing one time database migration...", 1.0) is None
    assert parse_event("[1, 2]", 1.0) is None
    assert parse_event('{"sessionID": "x"}', 1.0) is None
    event = parse_event('{"type": "text", "part": {"text": "Hi"}}', 1.5)
    assert event is not None
    assert (event.kind, event.at) == ("text", 1.5)


def test_an_export_gives_the_assistants_messages() -> None:
    info = {
        "role": "assistant",
        "providerID": "beta",
        "modelID": "m",
        "cost": 0.006,
        "time": {"completed": 3},
    }
    parts = [
        {"type": "step-start"},
        {"type": "text", "text": "Hi", "time": {"start": 1, "end": 2}},
        {"type": "text", "text": "Half", "time": {"start": 1}},
        {"type": "tool", "callID": "a", "state": {"status": "completed"}},
        {"type": "tool", "callID": "b", "state": {"status": "running"}},
    ]
    user = {"info": {"role": "user"}, "parts": [{"type": "text", "text": "Hello"}]}
    session = parse_export(json.dumps({"info": {"title": "T"}, "messages": [user, {"info": info, "parts": parts}]}))
    assert session is not None
    (message,) = session.messages
    assert (session.title, message.provider, message.cost, message.completed) == ("T", "beta", 0.006, True)
    assert message.text == "HiHalf"
    assert [part.closed for part in message.parts] == [True, True, False, True, False]
    assert [tool.call for tool in message.tools] == ["a", "b"]


def test_an_unfinished_or_failed_message_says_so() -> None:
    info = {"role": "assistant", "error": {"name": "APIError", "data": {"message": "503"}}, "time": {}}
    session = parse_export(json.dumps({"info": {}, "messages": [{"info": info, "parts": []}]}))
    assert session is not None
    assert (session.messages[0].error, session.messages[0].completed) == ("503", False)


def test_invalid_data_is_not_a_session() -> None:
    assert parse_export("Session not found") is None
    assert parse_export("[]") is None


def test_errors_without_a_message_give_their_name() -> None:
    assert error_message({"name": "UnknownError"}) == "UnknownError"
    assert error_message({"name": "X", "message": "why"}) == "why"
    assert error_message(None) == ""
