"""The table of rules for the TypeScript side: the compiled tables as JSON, which is valid TypeScript."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from opencode_patcher.models import policies
from opencode_patcher.models.rules import Rules, load


def rules_json(rules: Rules | None = None) -> str:
    """The value of ``identity_rules`` in ``identity/table.ts.j2``: one JSON object, sorted where order is free."""
    rules = rules or load()
    table = {field.name: _plain(getattr(rules, field.name)) for field in fields(rules)}
    # The other side builds the look-up by first word again; only the order within a word matters.
    for name in ("families", "synonyms"):
        table[name] = [entry for entries in table[name].values() for entry in entries]
    table["policies"] = _plain(policies.load())
    return json.dumps(table, indent=2, ensure_ascii=True)


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
