"""The JSON schema of ``combined.json``, for editors. It is made from the schema that OpenCode gets."""

from __future__ import annotations

import json
from typing import Any

from opencode_patcher.models import schema, settings
from opencode_patcher.models.schema import (
    Amount,
    AnyText,
    Anything,
    Either,
    Flag,
    ListOf,
    MapOf,
    OneOf,
    Struct,
    Type,
    Whole,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"

OTHER_KEYS = {
    "$schema": "Where this schema is, for editors",
    "model": "Model to use, as in opencode.json; a stock OpenCode does not know combined/NAME",
    "small_model": "Small model, as in opencode.json",
}
"""What the file may have besides our settings."""

KEYS = (*OTHER_KEYS, *settings.KEYS)
"""All that the file may have. Twin of ``KEYS`` in ``combined/config/file.ts``."""


def of_file() -> dict[str, Any]:
    """The schema of the whole file, which ``docs/combined.schema.json`` has as well."""
    ours = _of(schema.load())
    others = {key: {"type": "string", "description": text} for key, text in OTHER_KEYS.items()}
    return {
        "$schema": DIALECT,
        "title": "Combined models of OpenCode",
        "description": "Settings in combined.json or combined.jsonc, beside opencode.json",
        **ours,
        "properties": {**others, **ours["properties"]},
    }


def settings_json() -> str:
    """Our settings alone, as TypeScript gets them."""
    return json.dumps(_of(schema.load()), ensure_ascii=False)


def _of(wanted: Type) -> dict[str, Any]:
    match wanted:
        case Anything():
            return {}
        case AnyText():
            return {"type": "string"}
        case Flag():
            return {"type": "boolean"}
        case Whole(least, meaning):
            number = {"type": "integer", "minimum": least, "maximum": schema.LARGEST}
            return {**number, "errorMessage": meaning} if meaning else number
        case Amount(least, meaning):
            found: dict[str, Any] = {"type": "number"}
            found |= {} if least is None else {"minimum": least}
            return {**found, "errorMessage": meaning} if meaning else found
        case OneOf(values):
            return {"enum": list(values)}
        case ListOf(item):
            return {"type": "array", "items": _of(item)}
        case MapOf(value):
            return {"type": "object", "additionalProperties": _of(value)}
        case Either(types):
            return {"anyOf": [_of(one) for one in types]}
        case Struct(fields, required, descriptions):
            properties = {
                name: {**_of(inner), **({"description": descriptions[name]} if name in descriptions else {})}
                for name, inner in fields.items()
            }
            found = {"type": "object", "properties": properties, "additionalProperties": False}
            return {**found, "required": sorted(required)} if required else found
