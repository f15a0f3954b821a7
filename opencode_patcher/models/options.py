"""``provider_priority`` and ``combined`` of an opencode.json: reading and checking them.

Wrong types are errors, as in OpenCode itself. Unknown names are warnings: a provider may be configured on another
machine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from opencode_patcher.base import files, jsonc
from opencode_patcher.base.errors import UsageError
from opencode_patcher.models import chain, settings
from opencode_patcher.models.chain import Chain
from opencode_patcher.models.grouping import VARIANTS, Options, fits, group
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
        groups={name: chain.read(value) for name, value in combined.get("groups", {}).items()},
        fallbacks=_fallbacks(config),
        variants=tuple(combined["variants"]) if "variants" in combined else None,
        regions=tuple(combined.get("regions", ())),
        require=Require(
            no_training=required.get("no_training", False),
            region=required.get("region", ""),
            trust=tuple(required.get("trust", ())),
        ),
    )


def _fallbacks(config: Mapping[str, Any]) -> dict[str, Chain]:
    agents = {
        name: value
        for name, value in settings.agent_fallbacks(config)
        if all(problem.unknown for problem in settings.fallback_problems(name, value))
    }
    values = {"": config.get("combined", {}).get("fallback"), **agents}
    return {name: chain.read(value) for name, value in values.items() if value is not None}


def check(options: Options, offers: Sequence[Offer]) -> tuple[str, ...]:
    """A sentence for each name in ``options`` that is unknown among ``offers``, with the closest known name, and for
    each group that contains itself.
    """
    return tuple(_check(options, offers))


def _check(options: Options, offers: Sequence[Offer]) -> Iterator[str]:
    providers = {offer.provider_id for offer in offers}
    squashed = {squash(provider) for provider in providers}
    names = {f"{offer.provider_id}/{offer.model_id}" for offer in offers}
    for provider in options.priority:
        if squash(provider) not in squashed:
            yield _unknown("provider_priority", "provider", provider, providers)
    for way in chain.circles(options.groups):
        yield f"combined.groups.{way[0]}: it contains itself ({' > '.join((*way, way[0]))}), so it is left out."
    known = _Known(names=names, providers=providers, ids=cache(lambda: _ids(options, offers)))
    for name, own in options.groups.items():
        yield from _check_chain(f"combined.groups.{name}", own, known)
    for agent, own in options.fallbacks.items():
        yield from _check_chain(f"agent.{agent}.fallback" if agent else "combined.fallback", own, known)
    lowered = [lower(name) for name in names] if options.exclude else []
    for pattern in options.exclude:
        if not any(fits(lower(pattern), name) for name in lowered):
            yield f"combined.exclude: {pattern} matches no model of your providers."
    for variant in options.variants or ():
        if variant not in VARIANTS:
            yield _unknown("combined.variants", "kind of variant", variant, VARIANTS)


@dataclass(frozen=True, kw_only=True)
class _Known:
    names: Collection[str]
    providers: Collection[str]
    ids: Callable[[], Collection[str]]


def _check_chain(where: str, own: Chain, known: _Known) -> Iterator[str]:
    if not own.items:
        yield f"{where}: it has no models."
    before: set[str] = set()
    for index, item in enumerate(own.items):
        if text := _missing(where, item.model, known):
            yield text
        if item.model in before:
            yield f"{where}: {item.model} is there twice, and only the first one counts."
        if index == 0 and item.how.when is not None:
            yield f'{where}: with "when", {item.model} is never asked, since it is the first.'
        before.add(item.model)


def _missing(where: str, model: str, known: _Known) -> str:
    """What is wrong with the name of a model or group; empty when nothing is."""
    name = chain.reference(model)
    if model in known.names or (name is not None and name in known.ids()):
        return ""
    if name is not None:
        return _unknown(where, "group", name, known.ids(), chain.COMBINED)
    provider = model.split("/")[0]
    own = [one for one in known.names if one.startswith(provider + "/")]
    return _unknown(where, "model", model, own) if own else _unknown(where, "provider", provider, known.providers)


def _ids(options: Options, offers: Sequence[Offer]) -> frozenset[str]:
    """Everything that may be named as ``combined/x``: the user's groups, and automatic ones, however few providers they
    have."""
    groups = (*group(offers, options), *group(offers, replace(options, min_providers=1)))
    return frozenset((*options.groups, *(found.id for found in groups)))


def _unknown(where: str, kind: str, name: str, known: Iterable[str], prefix: str = "") -> str:
    near = nearest(name, known)
    return f"{where}: no {kind} {prefix}{name}." + (f" Did you mean {prefix}{near}?" if near else "")
