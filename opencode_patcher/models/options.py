"""``provider_priority`` and ``combined`` of an opencode.json: reading and checking them.

Wrong types are errors, as in OpenCode itself. Unknown names are warnings: a provider may be configured on another
machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencode_patcher.base import files, jsonc
from opencode_patcher.base.errors import UsageError
from opencode_patcher.models import settings
from opencode_patcher.models.grouping import VARIANTS, Options, fits
from opencode_patcher.models.nearest import nearest
from opencode_patcher.models.policies import Require
from opencode_patcher.models.resolve import Offer
from opencode_patcher.models.scan import lower, squash


def load(path: Path) -> Options:
    """The options in an opencode.json or opencode.jsonc. Raises UsageError that says where a mistake is."""
    try:
        text = files.read_text(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read.", why=f"{error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} cannot be read.", why="It is not UTF-8.") from error
    try:
        config = jsonc.loads(text)
    except ValueError as error:
        raise UsageError(f"{path} is not valid JSON.", why=f"{error}.") from error
    if not isinstance(config, dict):
        raise UsageError(f"{path} is not a configuration.", why="It is not an object.")
    return read(config, str(path))


def read(config: Mapping[str, Any], where: str) -> Options:
    """The options in a parsed configuration; ``where`` is its name in messages. Raises UsageError for a mistake."""
    for problem in settings.problems(config):
        raise UsageError(f"{where}: {problem.field} {problem.what}.", why=problem.why, next_step=problem.help)
    return of(config)


def of(config: Mapping[str, Any]) -> Options:
    """The options in a configuration that OpenCode accepts (see ``settings.problems``)."""
    combined = config.get("combined", {})
    priority = config.get("provider_priority", [])
    required = combined.get("require", {})
    listed = priority.split(",") if isinstance(priority, str) else priority
    return Options(
        priority=tuple(name for item in listed if (name := item.strip())),
        min_providers=int(combined.get("min_providers", 2)),
        combine_latest=combined.get("combine_latest", True),
        exclude=tuple(combined.get("exclude", ())),
        groups={name: tuple(members) for name, members in combined.get("groups", {}).items()},
        variants=tuple(combined["variants"]) if "variants" in combined else None,
        regions=tuple(combined.get("regions", ())),
        require=Require(
            no_training=required.get("no_training", False),
            region=required.get("region", ""),
            trust=tuple(required.get("trust", ())),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """An unknown name at ``path`` of a configuration, and a sentence about it."""

    path: jsonc.Path
    text: str


def check(options: Options, offers: Sequence[Offer]) -> tuple[str, ...]:
    """A sentence for each name in ``options`` that is unknown among ``offers``, with the closest known name."""
    return tuple(unknown.text for unknown in unknown_names(options, offers))


def unknown_names(options: Options, offers: Sequence[Offer]) -> tuple[Unknown, ...]:
    """As ``check``, with the path of each name. Positions in ``priority`` are those in ``options``."""
    providers = {offer.provider_id for offer in offers}
    squashed = {squash(provider) for provider in providers}
    names = {f"{offer.provider_id}/{offer.model_id}" for offer in offers}
    found = []
    for index, provider in enumerate(options.priority):
        if squash(provider) not in squashed:
            text = _unknown("provider_priority", "provider", provider, providers)
            found.append(Unknown(path=("provider_priority", index), text=text))
    for group, members in options.groups.items():
        for index, member in enumerate(members):
            if member in names:
                continue
            provider = member.split("/")[0]
            own = {name for name in names if name.startswith(provider + "/")}
            where = f"combined.groups.{group}"
            text = _unknown(where, "model", member, own) if own else _unknown(where, "provider", provider, providers)
            found.append(Unknown(path=("combined", "groups", group, index), text=text))
    lowered = [lower(name) for name in names] if options.exclude else []
    for index, pattern in enumerate(options.exclude):
        if not any(fits(lower(pattern), name) for name in lowered):
            text = f"combined.exclude: {pattern} matches no model of your providers."
            found.append(Unknown(path=("combined", "exclude", index), text=text))
    for index, variant in enumerate(options.variants or ()):
        if variant not in VARIANTS:
            text = _unknown("combined.variants", "kind of variant", variant, VARIANTS)
            found.append(Unknown(path=("combined", "variants", index), text=text))
    return tuple(found)


def _unknown(where: str, kind: str, name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f"{where}: no {kind} {name}." + (f" Did you mean {near}?" if near else "")
