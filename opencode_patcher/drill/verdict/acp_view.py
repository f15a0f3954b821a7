"""What an editor shows of a session, from the agent's updates, and what is wrong with it. Pure.

The protocol cannot remove text. So a discarded text stays on the editor's screen until it opens the session again. The
agent must say that it was discarded, and each text that counts must have arrived once and complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from opencode_patcher.drill.fakes.wire import Object, as_object
from opencode_patcher.drill.verdict.costs import CENT_OF_A_CENT
from opencode_patcher.drill.verdict.observation import Session

TAKEN_BACK = "was discarded"
"""In the thought with which the agent says that the text above does not count."""

SWITCH = "Failover:"
"""The start of a thought that says who takes over, and why."""

ENDED = {"completed", "failed"}


def shown(updates: Sequence[Object]) -> dict[str, str]:
    """The text of the agent's messages, by their ids, in the order of their first words."""
    texts: dict[str, str] = {}
    for update in updates:
        if update.get("sessionUpdate") == "agent_message_chunk":
            id = str(update.get("messageId"))
            texts[id] = texts.get(id, "") + _text(update)
    return texts


def wrong(updates: Sequence[Object], session: Session) -> Iterator[str]:
    """A sentence for each thing that an editor would show wrongly."""
    missing = [message.text for message in session.messages if message.text]
    replaced = False
    # From the end: a discarded text may be the same as the one that replaced it.
    for id, text in reversed(shown(updates).items()):
        if missing[-1:] == [text]:
            del missing[-1]
            replaced = True
            continue
        thoughts = _thoughts(updates, id)
        if TAKEN_BACK not in "".join(thoughts[:1]):
            yield f"the editor shows {text!r}, but was not told that it was discarded"
        # The same provider may have been asked again before; the answer that stays is from another one.
        elif replaced and not any(thought.startswith(SWITCH) for thought in thoughts):
            yield f"the editor was not told who takes over after {text!r}"
        replaced = False
    for text in missing:
        yield f"the editor did not get {text!r} exactly once and complete"
    tools = {str(update.get("toolCallId")): update for update in updates if "toolCallId" in update}
    for id, update in tools.items():
        if update.get("status") not in ENDED:
            yield f"the editor shows the tool call {id} as {update.get('status')} forever"
    totals = [as_object(one.get("cost")) for one in updates if one.get("sessionUpdate") == "usage_update"]
    told = float(str(totals[-1].get("amount", 0))) if totals else 0.0
    due = sum(message.cost for message in session.messages)
    if abs(told - due) > CENT_OF_A_CENT:
        yield f"the editor was told that the session cost ${told:.4f} instead of ${due:.4f}"


def _thoughts(updates: Sequence[Object], id: str) -> list[str]:
    """The agent's thoughts between the last word of a message and the next message."""
    end = max(index for index, update in enumerate(updates) if _message(update) == id)
    later = takewhile(lambda update: not _message(update), updates[end + 1 :])
    return [_text(update) for update in later if update.get("sessionUpdate") == "agent_thought_chunk"]


def _message(update: Object) -> str | None:
    return str(update.get("messageId")) if update.get("sessionUpdate") == "agent_message_chunk" else None


def _text(update: Object) -> str:
    return str(as_object(update.get("content")).get("text", ""))
