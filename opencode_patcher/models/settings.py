"""The schema of ``provider_priority`` and ``combined``, as ``patches/config-schema.patch`` gives it to OpenCode."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opencode_patcher.base import jsonc
from opencode_patcher.models.grouping import VARIANTS
from opencode_patcher.models.nearest import nearest

KEYS = ("provider_priority", "combined")
"""Top-level keys that only a patched OpenCode knows; a stock one refuses the whole file (config/parse.ts)."""

STRATEGIES = ("on_error", "on_rate_limit", "on_overload")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A mistake at ``path``: ``field`` is that path as text, ``what`` completes a sentence that begins with it.

    ``ignored``: OpenCode takes no notice of it, where it refuses the whole file for the others.
    """

    path: jsonc.Path
    what: str
    why: str = ""
    help: str = ""
    ignored: bool = False

    @property
    def field(self) -> str:
        return field(self.path)


@dataclass(frozen=True, kw_only=True)
class _Type:
    wanted: str
    fits: Callable[[object], bool]


_LARGEST = 2**53 - 1
"""Number.MAX_SAFE_INTEGER, the largest that OpenCode takes for whole (Schema.isInt)."""


def _whole(least: int) -> _Type:
    def fits(value: object) -> bool:
        # JavaScript has one kind of number: 2.0 is the whole number 2.
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return least <= value <= _LARGEST and value == round(value)

    return _Type(wanted=f"a whole number from {least} to {_LARGEST}", fits=fits)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_TEXTS = _Type(wanted="a list of texts", fits=_is_texts)
_OBJECT = _Type(wanted="an object", fits=lambda value: isinstance(value, dict))

_PRIORITY = _Type(
    wanted="a list of texts, or one text with commas",
    fits=lambda value: isinstance(value, str) or _is_texts(value),
)
_COMBINED: Mapping[str, _Type] = {
    "min_providers": _whole(1),
    "combine_latest": _Type(wanted="true or false", fits=lambda value: isinstance(value, bool)),
    "exclude": _TEXTS,
    "groups": _Type(wanted="an object of lists", fits=lambda value: isinstance(value, dict)),
    "variants": _TEXTS,
    "regions": _TEXTS,
    "strategy": _Type(
        wanted=f"one of {', '.join(STRATEGIES)}", fits=lambda value: isinstance(value, str) and value in STRATEGIES
    ),
    "max_attempts": _whole(1),
    "first_token_timeout": _whole(1),
    "stall_timeout": _whole(1),
    "cooldown": _OBJECT,
    "last_resort": _TEXTS,
    "stickiness": _whole(0),
}
_COOLDOWN: Mapping[str, _Type] = {"min": _whole(0), "max": _whole(1)}

FIELDS = tuple(_COMBINED)
"""The fields of ``combined``."""


def problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """What OpenCode refuses or ignores in the two keys of a parsed configuration; its other keys are not looked at."""
    if "provider_priority" in config:
        yield from _check(("provider_priority",), config["provider_priority"], _PRIORITY)
    if "combined" not in config:
        return
    combined = config["combined"]
    yield from _check(("combined",), combined, _OBJECT)
    if not isinstance(combined, dict):
        return
    yield from _fields(("combined",), combined, _COMBINED)
    cooldown, groups, variants = (combined.get(name) for name in ("cooldown", "groups", "variants"))
    if isinstance(cooldown, dict):
        yield from _fields(("combined", "cooldown"), cooldown, _COOLDOWN)
    if isinstance(groups, dict):
        for name, members in groups.items():
            yield from _check(("combined", "groups", name), members, _TEXTS)
    if _is_texts(variants):
        yield from _variants(variants or [])


def field(path: jsonc.Path) -> str:
    """A path as a person writes it: ``combined.groups['mine'][0]``."""
    first, *rest = path
    inner = path[:2] == ("combined", "groups")
    return str(first) + "".join(
        f".{part}" if isinstance(part, str) and not (inner and index > 0) else f"[{part!r}]"
        for index, part in enumerate(rest)
    )


def _fields(path: jsonc.Path, value: Mapping[str, object], types: Mapping[str, _Type]) -> Iterator[Problem]:
    for name, inner in value.items():
        if name in types:
            yield from _check((*path, name), inner, types[name])
            continue
        near = nearest(name, types)
        yield Problem(
            path=(*path, name),
            what="is no setting",
            why=f"{field(path)} has no field {name!r}. Its fields are {', '.join(types)}.",
            help=f"Did you mean {near!r}?" if near else "",
            ignored=True,
        )


def _check(path: jsonc.Path, value: object, wanted: _Type) -> Iterator[Problem]:
    if not wanted.fits(value):
        yield Problem(path=path, what=f"must be {wanted.wanted}", why=f"It is {json.dumps(value)[:80]}.")


def _variants(variants: list[str]) -> Iterator[Problem]:
    for index, variant in enumerate(variants):
        if variant not in VARIANTS:
            near = nearest(variant, VARIANTS)
            yield Problem(
                path=("combined", "variants", index),
                what=f"is {variant!r}, which is no kind of variant",
                why=f"The kinds are {', '.join(VARIANTS)}.",
                help=f"Did you mean {near!r}?" if near else "",
            )
