"""What all wire protocols share: server-sent events, text in pieces, and tolerant reading of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from opencode_patcher.base import documents

Object = Mapping[str, object]


def event(value: object, name: str = "") -> bytes:
    """A server-sent event with JSON data, under ``name`` if there is one."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(value)}\n\n".encode()


def words(text: str) -> list[str]:
    """The text in pieces; joined, they are the text again."""
    found = text.split(" ")
    return [word + " " for word in found[:-1]] + found[-1:]


def halves(text: str) -> tuple[str, str]:
    """The text in two pieces."""
    half = len(text) // 2
    return text[:half], text[half:]


def is_json(value: object) -> bool:
    return read(str(value)) is not None


def read(text: str | bytes) -> object:
    """The JSON that a program printed; None when it is not JSON, or nested too deeply."""
    try:
        return documents.parse(text, object, halves=True)
    except documents.DocumentError:
        return None


def as_object(value: object) -> Object:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_objects(value: object) -> list[Object]:
    """The objects of a list; nothing for anything else."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def text_of(content: object) -> str:
    """The text of a message's content: a string, or parts of which other kinds give ``[kind]``."""
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", f"[{part.get('type')}]")) for part in as_objects(content))
