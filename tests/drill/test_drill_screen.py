from __future__ import annotations

from opencode_patcher.drill.drivers.screen import Screen


def message(id: str, role: str = "assistant", **more: object) -> tuple[str, dict[str, object]]:
    return "message.updated", {"info": {"id": id, "role": role, "sessionID": "s", **more}}


def part(message: str, id: str, text: str, kind: str = "text") -> tuple[str, dict[str, object]]:
    return "message.part.updated", {"part": {"id": id, "messageID": message, "type": kind, "text": text}}


def delta(message: str, id: str, text: str) -> tuple[str, dict[str, object]]:
    return "message.part.delta", {"messageID": message, "partID": id, "field": "text", "delta": text}


def shown(*events: tuple[str, dict[str, object]]) -> str:
    screen = Screen()
    for kind, properties in events:
        screen.apply(kind, properties)
    return screen.text("s")


def test_text_grows_with_its_deltas() -> None:
    assert (
        shown(message("m1"), part("m1", "p1", ""), delta("m1", "p1", "Hello "), delta("m1", "p1", "there"))
        == "Hello there"
    )


def test_removed_parts_disappear() -> None:
    begun = (message("m1"), part("m1", "p1", "Half a"))
    assert shown(*begun, ("message.part.removed", {"messageID": "m1", "partID": "p1"})) == ""
    assert shown(*begun, ("message.removed", {"messageID": "m1"})) == ""


def test_the_end_of_a_part_replaces_its_beginning() -> None:
    assert shown(message("m1"), part("m1", "p1", "Hel"), part("m1", "p1", "Hello.")) == "Hello."


def test_only_answers_of_the_session_are_text() -> None:
    events = (
        message("m0", role="user"),
        part("m0", "p0", "Do it."),
        message("m1", summary=True),
        part("m1", "p1", "A summary."),
        message("m2", sessionID="other"),
        part("m2", "p2", "Elsewhere."),
        message("m4"),
        part("m4", "p4", "second"),
        message("m3"),
        part("m3", "p3", "first, "),
        part("m3", "p9", "a thought", kind="reasoning"),
    )
    assert shown(*events) == "first, second"


def test_a_delta_of_an_unknown_part_is_ignored() -> None:
    assert shown(message("m1"), delta("m1", "p1", "Hello")) == ""
