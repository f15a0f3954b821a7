"""What a client of the server's events shows: messages and parts as the events add, change and remove them.

The terminal interface and the SDK's clients follow the same events, so what is left here is also left on the user's
screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opencode_patcher.drill.fakes.wire import Object, as_object


@dataclass(kw_only=True)
class Screen:
    """The messages of all sessions. Fed by one thread; read when the session is idle."""

    messages: dict[str, Object] = field(default_factory=dict)
    parts: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)

    def apply(self, kind: str, properties: Mapping[str, object]) -> None:
        """Apply one event of the server; only events about messages matter."""
        message = str(properties.get("messageID", ""))
        part = str(properties.get("partID", ""))
        match kind:
            case "message.updated":
                info = as_object(properties.get("info"))
                self.messages[str(info.get("id"))] = info
            case "message.removed":
                self.messages.pop(message, None)
                self.parts.pop(message, None)
            case "message.part.updated":
                found = as_object(properties.get("part"))
                self.parts.setdefault(str(found.get("messageID")), {})[str(found.get("id"))] = dict(found)
            case "message.part.removed":
                self.parts.get(message, {}).pop(part, None)
            case "message.part.delta":
                if shown := self.parts.get(message, {}).get(part):
                    name = str(properties.get("field", "text"))
                    shown[name] = str(shown.get(name, "")) + str(properties.get("delta", ""))

    def text(self, session_id: str) -> str:
        """The text of a session's answers without summaries, in the order of their ids, which is chronological."""
        return "".join(
            str(part.get("text", ""))
            for id, info in sorted(self.messages.items())
            if info.get("sessionID") == session_id and info.get("role") == "assistant" and not info.get("summary")
            for _, part in sorted(self.parts.get(id, {}).items())
            if part.get("type") == "text"
        )
