"""The settings for people: ``docs/configuration.md``, made from the schema that OpenCode gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from opencode_patcher.models import json_schema, schema
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

_HEAD = """\
# Configuration

Written by `python -m opencode_patcher.configuration` from the schema that OpenCode gets; an editor gets the same one
from [combined.schema.json](combined.schema.json). Which file the settings are in, and which file wins:
[settings.md](settings.md).

Everything is optional. `opencode-patcher config` prints the lines for the providers that you have, `opencode-patcher
config --check` finds mistakes in yours. Times are in milliseconds.

```jsonc
// combined.json, beside opencode.json
{
  "$schema": "./combined.schema.json",
  "model": "combined/claude-sonnet-4-5",
  "provider_priority": ["anthropic", "github-copilot", "openrouter"],
  "combined": {
    "exclude": ["openrouter/*"],
    "first_token_timeout": 60000
  }
}
```
"""

MEANINGS = {
    "groups.NAME.models": "The members, if the group needs more settings than the list alone",
    "groups.NAME.order": "`written`: as listed (the default); `priority`: by `provider_priority`",
    "groups.NAME.on_refusal": "When a model refuses the content: `stop` shows that, `next_model` asks another model",
    "groups.NAME[].model": "`provider/model`, or `combined/NAME` for all members of that one",
    "groups.NAME[].variant": "The variant of this member, instead of the one that you picked",
    "groups.NAME[].options": "Options of this member, as in `options` of a model in opencode.json",
    "groups.NAME[].when": "Only asked after a failure of one of these classes",
    "require.no_training": "Only providers that do not train models with what you send",
    "require.region": "Only providers that keep requests in this region",
    "require.trust": "Providers that you know to do so: a name, or `provider/model` with `*` for any text",
    "cooldown.min": "No cooldown is shorter",
    "cooldown.max": "No cooldown is longer, even if the provider names a later time",
    "wait.max": "The longest wait for one answer, in all (default: 21600000, six hours)",
    "wait.quiet": "Hours of the local day in which nothing is resumed",
    "windows.threshold": "The percentage; `off` never leaves a provider early; with a number, API keys count as well",
    "windows.providers": "The same, for single providers",
    "windows.order": "`soonest`: of equal members, the one whose window ends first is asked first",
    "budget.session": "In a session, with its subagents",
    "budget.day": "On a day of the local calendar, all sessions together",
    "budget.providers": "On such a day, at each provider that is named",
    "failures[].status": "HTTP status codes",
    "failures[].code": "Codes in the body of the error",
    "failures[].words": "Words of the message, as plain text",
    "failures[].class": "What such a failure means",
    "failures[].scope": "What is avoided after it",
    "failures[].zone": "The time zone of dates in the message, such as `+08:00`",
}
"""What the keys mean that have no description in the schema. Settings that come in several forms are listed once."""

_READ_ON = {
    "provider_priority": "failover.md#who-is-asked",
    "groups": "chains.md",
    "fallback": "chains.md",
    "require": "privacy.md",
    "accounts": "settings.md#several-accounts-of-one-provider",
    "windows": "failover.md#plans-that-are-nearly-used-up",
    "failures": "failures.md",
    "price_class": "money.md#what-a-member-costs",
    "metered": "money.md#whether-it-may-be-asked",
    "budget": "money.md#budgets",
    "min_providers": "model-identity.md#groups",
    "variants": "model-identity.md",
    "wait": "failover.md#when-all-are-unavailable",
}


@dataclass(frozen=True, kw_only=True)
class Key:
    """A setting: its path from ``combined``, the form of its value, and what it means."""

    path: str
    form: str
    meaning: str


def document() -> str:
    """The page."""
    return "\n".join(_lines())


def keys() -> tuple[Key, ...]:
    """Every key of ``combined``. Nested keys follow the key that contains them. The keys of a ``fallback`` are those of
    a group, and are listed there.
    """
    combined = schema.load().fields["combined"]
    assert isinstance(combined, Struct)
    return tuple(_of(combined, ""))


def _lines() -> Iterator[str]:
    ours = schema.load()
    yield _HEAD
    yield "## Beside `combined`\n"
    yield "| key | value | what |\n|---|---|---|"
    yield from (_row(Key(path=name, form="text", meaning=text)) for name, text in json_schema.OTHER_KEYS.items())
    yield from (
        _row(Key(path=name, form=_form(wanted), meaning=ours.descriptions.get(name, "")))
        for name, wanted in ours.fields.items()
    )
    yield "\n## In `combined`\n"
    yield "| key | value | what |\n|---|---|---|"
    yield from (_row(key) for key in keys())
    yield ""


def _row(key: Key) -> str:
    link = _READ_ON.get(key.path)
    more = f" ([more]({link}))" if link else ""
    return f"| `{key.path}` | {key.form} | {key.meaning}{more} |"


def _of(struct: Struct, before: str) -> Iterator[Key]:
    for name, wanted in struct.fields.items():
        path = f"{before}{name}"
        meaning = struct.descriptions.get(name) or MEANINGS.get(path, "")
        yield Key(path=path, form=_form(wanted), meaning=meaning)
        if name != "fallback":
            yield from _unique(_inside(wanted, path, path == "groups"))


def _inside(wanted: Type, path: str, named: bool) -> Iterator[Key]:
    """The keys inside a value; ``named`` says whether it is an object whose keys are names that the user chooses."""
    match wanted:
        case Struct():
            yield from _of(wanted, f"{path}.")
        case ListOf(item):
            yield from _inside(item, f"{path}[]", named)
        case MapOf(value) if named:
            yield from _inside(value, f"{path}.NAME", False)
        case Either(types):
            for one in types:
                for key in _inside(one, path, named):
                    # The short form of a group, a list, has the same members as the long one.
                    yield replace(key, path=key.path.replace(".models[]", "[]"))
        case _:
            pass


def _unique(found: Iterator[Key]) -> Iterator[Key]:
    for key in {key.path: key for key in found}.values():
        yield key if key.meaning else replace(key, meaning=MEANINGS.get(key.path, ""))


def _form(wanted: Type) -> str:
    """The form of a value in a few words."""
    match wanted:
        case Anything():
            return "anything"
        case AnyText():
            return "text"
        case Flag():
            return "`true` or `false`"
        case Whole(least, _):
            return f"number from {least}"
        case Amount(least):
            return "any number" if least is None else f"any number from {least}"
        case OneOf(values):
            return ", ".join(f"`{value}`" for value in values)
        case ListOf(item):
            return f"list of {_items(item)}"
        case MapOf(value):
            return f"object: name to {_form(value)}"
        case Struct():
            return "object"
        case Either(types):
            return ", or ".join(dict.fromkeys(_form(one) for one in types))


def _items(item: Type) -> str:
    match item:
        case AnyText():
            return "texts"
        case Whole():
            return "numbers"
        case Struct():
            return "objects"
        case Either(types):
            return " or ".join(dict.fromkeys(_items(one) for one in types))
        case _:
            return _form(item)
