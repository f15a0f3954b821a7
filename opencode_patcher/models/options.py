"""``provider_priority`` and ``combined`` of an opencode.json: reading them, and telling what is wrong in them.

Wrong types are errors, as in OpenCode itself. Names that nothing is known by are warnings: a provider may be
configured on another machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opencode_patcher.errors import UsageError
from opencode_patcher.models.grouping import DEFAULT_VARIANTS, VARIANTS, Options, fits
from opencode_patcher.models.nearest import nearest
from opencode_patcher.models.resolve import Offer
from opencode_patcher.models.scan import lower, squash

_KEYS = ("min_providers", "combine_latest", "exclude", "groups", "variants", "regions")
# A string, a comment, or a comma before a closing bracket. A comment inside a string is part of the string.
_JSONC = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)


def load(path: Path) -> Options:
    """The options in an opencode.json or opencode.jsonc. Raises UsageError naming the place of a mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read.", why=str(error)) from error
    # Comments first: a trailing comma may stand before one.
    for _ in range(2):
        text = _JSONC.sub(lambda match: match.group(1) or "", text)
    try:
        config = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{path} is no JSON.", why=str(error)) from error
    if not isinstance(config, dict):
        raise UsageError(f"{path} is no configuration.", why="It is not an object.")
    return read(config, str(path))


def read(config: Mapping[str, Any], where: str) -> Options:
    """The options in a parsed configuration; ``where`` names it in messages. Raises UsageError."""
    combined = config.get("combined", {})
    if not isinstance(combined, dict):
        raise _wrong(where, "combined", "an object", combined)
    for key in combined:
        if key not in _KEYS:
            near = nearest(key, _KEYS)
            raise UsageError(
                f"{where}: combined has no field {key!r}.",
                why=f"Its fields are {', '.join(_KEYS)}.",
                next_step=f"Did you mean {near!r}?" if near else "",
            )
    fewest = combined.get("min_providers", 2)
    if not isinstance(fewest, int) or isinstance(fewest, bool) or fewest < 1:
        raise _wrong(where, "combined.min_providers", "a whole number from 1 up", fewest)
    latest = combined.get("combine_latest", True)
    if not isinstance(latest, bool):
        raise _wrong(where, "combined.combine_latest", "true or false", latest)
    groups = combined.get("groups", {})
    if not isinstance(groups, dict):
        raise _wrong(where, "combined.groups", "an object of lists", groups)
    variants = _texts(combined.get("variants", list(DEFAULT_VARIANTS)), where, "combined.variants")
    for variant in variants:
        if variant not in VARIANTS:
            near = nearest(variant, VARIANTS)
            raise UsageError(
                f"{where}: combined.variants has {variant!r}, which is no kind of variant.",
                why=f"The kinds are {', '.join(VARIANTS)}.",
                next_step=f"Did you mean {near!r}?" if near else "",
            )
    return Options(
        priority=_texts(config.get("provider_priority", []), where, "provider_priority"),
        min_providers=fewest,
        combine_latest=latest,
        exclude=_texts(combined.get("exclude", []), where, "combined.exclude"),
        groups={name: _texts(members, where, f"combined.groups[{name!r}]") for name, members in groups.items()},
        variants=variants,
        regions=_texts(combined.get("regions", []), where, "combined.regions"),
    )


def check(options: Options, offers: Sequence[Offer]) -> tuple[str, ...]:
    """What in ``options`` names nothing among ``offers``, a sentence each, with the nearest known name."""
    providers = {offer.provider_id for offer in offers}
    squashed = {squash(provider) for provider in providers}
    names = {f"{offer.provider_id}/{offer.model_id}" for offer in offers}
    found = []
    for provider in options.priority:
        if squash(provider) not in squashed:
            found.append(_unknown("provider_priority", "provider", provider, providers))
    for group, members in options.groups.items():
        for member in members:
            if member in names:
                continue
            provider = member.split("/")[0]
            own = {name for name in names if name.startswith(provider + "/")}
            where = f"combined.groups.{group}"
            if own:
                found.append(_unknown(where, "model", member, own))
            else:
                found.append(_unknown(where, "provider", provider, providers))
    lowered = [lower(name) for name in names] if options.exclude else []
    for pattern in options.exclude:
        if not any(fits(lower(pattern), name) for name in lowered):
            found.append(f"combined.exclude: {pattern} fits no model of your providers.")
    for variant in options.variants:
        if variant not in VARIANTS:
            found.append(_unknown("combined.variants", "kind of variant", variant, VARIANTS))
    return tuple(found)


def _unknown(where: str, kind: str, name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f"{where}: no {kind} {name}." + (f" Did you mean {near}?" if near else "")


def _texts(value: object, where: str, field: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(where, field, "a list of texts", value)
    return tuple(value)


def _wrong(where: str, field: str, wanted: str, value: object) -> UsageError:
    return UsageError(f"{where}: {field} must be {wanted}.", why=f"It is {json.dumps(value)[:80]}.")
