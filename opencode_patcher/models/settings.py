"""What is wrong in ``provider_priority`` and ``combined`` of a configuration, by the schema that OpenCode gets."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opencode_patcher.base import jsonc
from opencode_patcher.models import schema
from opencode_patcher.models.nearest import nearest
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

KEYS = ("provider_priority", "combined")
"""Top-level keys that only a patched OpenCode knows; a stock one refuses the whole file (config/parse.ts)."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A mistake at ``path``: ``field`` is that path as text, ``what`` completes a sentence that begins with it.

    ``ignored``: OpenCode ignores it; for other problems it refuses the whole file. ``unknown``: a key that is not a
    setting, which spoils nothing else.
    """

    path: jsonc.Path
    what: str
    why: str = ""
    help: str = ""
    ignored: bool = False
    unknown: bool = False

    @property
    def field(self) -> str:
        return field(self.path)


def problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """What OpenCode refuses or ignores in the two keys of a parsed configuration, and in the ``fallback`` of its
    agents. Other keys are not checked.
    """
    fields = schema.load().fields
    for key, wanted in fields.items():
        if key in config:
            yield from _check((key,), config[key], wanted)
    for name, value in agent_fallbacks(config):
        for problem in fallback_problems(name, value):
            why = (
                problem.why if problem.unknown else f"{problem.why} Nothing is asked after this agent's model.".strip()
            )
            yield replace(problem, why=why, ignored=True)


def agent_fallbacks(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What each agent has as ``fallback``; OpenCode takes any value there."""
    agents = config.get("agent")
    for name, agent in agents.items() if isinstance(agents, dict) else ():
        if isinstance(agent, dict) and agent.get("fallback") is not None:
            yield name, agent["fallback"]


def fallback_problems(name: str, value: object) -> Iterator[Problem]:
    """What is wrong in ``agent.NAME.fallback``. OpenCode still uses it if all that is wrong are unknown keys."""
    combined = schema.load().fields.get("combined")
    if isinstance(combined, Struct) and "fallback" in combined.fields:
        yield from _check(("agent", name, "fallback"), value, combined.fields["fallback"])


def field(path: jsonc.Path) -> str:
    """A path as a person writes it: ``combined.groups['mine'][0]``."""
    first, *rest = path
    inner = path[:2] == ("combined", "groups")
    return str(first) + "".join(
        f".{part}" if isinstance(part, str) and not (inner and index > 0) else f"[{part!r}]"
        for index, part in enumerate(rest)
    )


def _check(path: jsonc.Path, value: object, wanted: Type) -> Iterator[Problem]:
    if not _fits(value, wanted):
        why = f"It is {json.dumps(value)[:80]}."
        yield Problem(path=path, what=f"must be {_words(wanted)}", why=why, help=_meant(value, wanted))
        return
    match wanted:
        case Struct(fields, required) if isinstance(value, dict):
            for name in sorted(required - value.keys()):
                yield Problem(path=path, what=f"has no {name}")
            for name, inner in value.items():
                if name in fields:
                    yield from _check((*path, name), inner, fields[name])
                else:
                    yield _unknown(path, name, fields)
        case MapOf(each) if isinstance(value, dict):
            for name, inner in value.items():
                yield from _check((*path, name), inner, each)
        case Either(types):
            chosen = next(one for one in types if _fits(value, one))
            yield from _check(path, value, chosen)
        case ListOf(Struct() | Either() as each) if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _check((*path, index), item, each)
                if path == ("combined", "failures"):
                    yield from _row((*path, index), item)
        case ListOf(OneOf(values)) if isinstance(value, list):
            for index, item in enumerate(value):
                if item not in values:
                    yield _other_value((*path, index), item, values)


SHORTEST = 3
"""The least number of letters in a code or word of a row of failures: shorter ones are in almost every error."""


def _row(path: jsonc.Path, row: Mapping[str, Any]) -> Iterator[Problem]:
    """What makes OpenCode leave out a row. Twin of ``problem`` in ``combined/failure/rules.ts``."""
    lists = [row.get(name) for name in ("code", "words")]
    texts = [text for texts in lists if isinstance(texts, list) for text in texts if isinstance(text, str)]
    if not row.get("class"):
        yield Problem(path=path, what="has no class", why="A row says what a failure is.", ignored=True)
    elif not texts and not row.get("status"):
        why = "It names no status, code or words."
        yield Problem(path=path, what="would decide every failure", why=why, ignored=True)
    elif any(len(text.strip()) < SHORTEST and not re.search(r"[^\0-\x7f]{2}", text) for text in texts):
        why = f"A code or word has fewer than {SHORTEST} letters."
        yield Problem(path=path, what="would decide almost every failure", why=why, ignored=True)
    elif not re.fullmatch(r"(?:[+-]\d\d:\d\d)?", zone if isinstance(zone := row.get("zone", ""), str) else ""):
        yield Problem(path=(*path, "zone"), what="must be written like +08:00", why=f"It is {zone}.", ignored=True)


def _fits(value: object, wanted: Type) -> bool:
    """Whether a value has a type, without looking into it: members of objects and items of lists are checked one by
    one.
    """
    match wanted:
        case Anything():
            return True
        case AnyText():
            return isinstance(value, str)
        case Flag():
            return isinstance(value, bool)
        case Whole(least):
            # JavaScript has one kind of number: 2.0 is the whole number 2.
            if isinstance(value, bool) or not isinstance(value, int | float):
                return False
            return least <= value <= schema.LARGEST and value == round(value)
        case Amount(least):
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                return False
            return least is None or value >= least
        case OneOf(values):
            return isinstance(value, str) and value in values
        case ListOf(OneOf()):
            return _fits(value, ListOf(AnyText()))
        case ListOf(Struct()):
            return isinstance(value, list) and all(isinstance(one, dict) for one in value)
        case ListOf(Either()):
            return isinstance(value, list)
        case ListOf(item):
            return isinstance(value, list) and all(_fits(one, item) for one in value)
        case Either(types):
            return any(_fits(value, one) for one in types)
        case Struct() | MapOf():
            return isinstance(value, dict)


def _meant(value: object, wanted: Type) -> str:
    """A hint about the unit of a wrong number: milliseconds if it is too small for those, dollars if it was written as
    a text. Empty if there is no hint.
    """
    if (
        isinstance(wanted, Amount)
        and isinstance(value, str)
        and (dollars := re.fullmatch(r"\$? *(\d+(\.\d+)?) *(\$|USD)?", value))
    ):
        return f"It is in dollars. If you mean {dollars[1]} dollars, write {dollars[1]} without quotes."
    if not isinstance(wanted, Whole) or not wanted.meaning or isinstance(value, bool):
        return ""
    if not isinstance(value, int | float) or not 0 < value < wanted.least:
        return ""
    return f"It is in milliseconds. If you mean {value:g} seconds, write {value * 1000:g}."


def _words(wanted: Type) -> str:
    match wanted:
        case Anything():
            return "anything"
        case AnyText():
            return "a text"
        case Flag():
            return "true or false"
        case Whole(least):
            return f"a whole number from {least} to {schema.LARGEST}"
        case Amount(least):
            return "a number" if least is None else f"a number, at least {least}"
        case OneOf((only,)):
            return json.dumps(only)
        case OneOf(values):
            return f"one of {', '.join(values)}"
        case ListOf(Struct()):
            return "a list of objects"
        case ListOf(Either()):
            return "a list"
        case ListOf(Whole()):
            return "a list of whole numbers"
        case ListOf():
            return "a list of texts"
        case Either(types):
            return " or ".join(map(_words, types))
        case MapOf(AnyText()):
            return "an object of texts"
        case MapOf() | Struct():
            return "an object"


def _unknown(path: jsonc.Path, name: str, known: Mapping[str, Type]) -> Problem:
    near = nearest(name, known)
    return Problem(
        path=(*path, name),
        what="is not a setting",
        why=f"{field(path)} has no field {name!r}. Its fields are {', '.join(known)}.",
        help=f"Did you mean {near!r}?" if near else "",
        ignored=True,
        unknown=True,
    )


def _other_value(path: jsonc.Path, value: object, known: Sequence[str]) -> Problem:
    near = nearest(str(value), known)
    return Problem(
        path=path,
        what=f"is {value!r}, which is not a known value",
        why=f"The known values are {', '.join(known)}.",
        help=f"Did you mean {near!r}?" if near else "",
    )
