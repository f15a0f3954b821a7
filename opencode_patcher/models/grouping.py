"""Which models of the user's providers are combined, under which id, and in which order.

``grouping.ts`` is the same in TypeScript; the two agree on every input. Text is always ordered by UTF-16 code units, as
in JavaScript.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from opencode_patcher.models import chain
from opencode_patcher.models.chain import PLAIN, Chain, How, Link
from opencode_patcher.models.identity import Variant
from opencode_patcher.models.policies import NOTHING, Require, promised
from opencode_patcher.models.resolve import Identity, Offer, resolve
from opencode_patcher.models.rules import Rules
from opencode_patcher.models.scan import lower, order, squash

VARIANTS = ("free", "quantised", "context", "region", "host", "confidential")
"""Kinds of variants: what may differ between offers of the same weights."""
DEFAULT_VARIANTS = ("region", "host", "confidential")
"""Quantised weights answer worse and a shorter context refuses more requests: both are only combined on request. Free
offers have other terms for the user's data: without ``variants`` they are combined where the user listed the provider.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The user's settings; the fields are those of ``combined`` in opencode.json.

    ``priority`` lists providers, highest first. ``exclude`` has patterns for ``provider/model`` in which * stands for
    any text. ``groups`` are the user's own, by their ids; ``fallbacks`` are what is asked after a model, by agents,
    where "" stands for every model that has no chain of its own. ``variants`` are the kinds that may be in one group
    (None: the default). ``regions`` are preferred, in this order, where a provider has a model in several.
    """

    priority: tuple[str, ...] = ()
    min_providers: int = 2
    combine_latest: bool = True
    exclude: tuple[str, ...] = ()
    groups: Mapping[str, Chain] = field(default_factory=dict)
    fallbacks: Mapping[str, Chain] = field(default_factory=dict)
    variants: tuple[str, ...] | None = None
    regions: tuple[str, ...] = ()
    require: Require = NOTHING


@dataclass(frozen=True, kw_only=True)
class Member:
    """``identity`` is the key of the model: members of a chain of the user's may be different models."""

    provider_id: str
    model_id: str
    identity: str
    variant: Variant
    how: How = PLAIN


@dataclass(frozen=True, kw_only=True)
class Group:
    """A combined model: ``id`` is what the user types after ``combined/``; members are in the order in which they are
    tried."""

    id: str
    key: str
    name: str
    members: tuple[Member, ...]


@dataclass(frozen=True, kw_only=True)
class _Entry:
    offer: Offer
    identity: Identity
    rank: int
    listed: bool


@dataclass(frozen=True, kw_only=True)
class _Draft:
    """``short`` is None for a group of the user's."""

    short: str | None
    id: str
    key: str
    qualified: str
    links: tuple[Link[_Entry], ...]


def group(
    offers: Sequence[Offer], options: Options, catalogue: Iterable[Offer] = (), *, rules: Rules | None = None
) -> tuple[Group, ...]:
    """The combined models of ``offers``, in the order of their ids.

    ``catalogue`` has further offers that are not combined: it tells which snapshots and sizes exist.
    """
    ranks: dict[str, int] = {}
    for index, provider in enumerate(options.priority):
        ranks.setdefault(squash(provider), index)
    patterns = [lower(pattern) for pattern in options.exclude]
    # Excluded offers still tell which snapshots and sizes exist.
    identities = resolve(offers, catalogue, rules=rules)
    entries = []
    for offer, identity in zip(offers, identities, strict=True):
        if not _is_excluded(offer, patterns) and permitted(offer, identity.variant, options.require):
            rank = ranks.get(squash(offer.provider_id))
            entries.append(
                _Entry(
                    offer=offer,
                    identity=identity,
                    rank=len(options.priority) if rank is None else rank,
                    listed=rank is not None,
                )
            )
    automatic = _unique_ids(options, _automatic_groups(entries, options))
    drafts = [*_own_groups(entries, options, automatic), *automatic]
    return tuple(sorted((_finish(draft) for draft in drafts), key=lambda found: order(found.id)))


def fits(pattern: str, text: str) -> bool:
    """Whether ``text`` matches ``pattern``, in which * stands for any text."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    end = len(text) - len(last)
    at = len(first)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def permitted(offer: Offer, variant: Variant, require: Require) -> bool:
    """Whether an offer may be a member at all: the user trusts it, or its provider promises what is required."""
    name, provider = lower(f"{offer.provider_id}/{offer.model_id}"), lower(offer.provider_id)
    trusted = any(fits(lower(pattern), name if "/" in pattern else provider) for pattern in require.trust)
    return trusted or promised(offer.provider_id, offer.model_id, variant, require)


def _is_excluded(offer: Offer, patterns: Sequence[str]) -> bool:
    text = lower(f"{offer.provider_id}/{offer.model_id}") if patterns else ""
    return any(fits(pattern, text) for pattern in patterns)


def _finish(draft: _Draft) -> Group:
    """The user's own groups are called what the user called them, the others what their best offer is."""
    best = draft.links[0].entry.offer
    return Group(
        id=draft.id,
        key=draft.key,
        name=("" if draft.short is None else best.name or best.model_id) or draft.id,
        members=tuple(
            Member(
                provider_id=link.entry.offer.provider_id,
                model_id=link.entry.offer.model_id,
                identity=link.entry.identity.key,
                variant=link.entry.identity.variant,
                how=link.how,
            )
            for link in draft.links
        ),
    )


def _own_groups(entries: Sequence[_Entry], options: Options, automatic: Iterable[_Draft]) -> list[_Draft]:
    by_name = {f"{entry.offer.provider_id}/{entry.offer.model_id}": entry for entry in entries}
    by_id = {draft.id: draft for draft in automatic}

    @cache
    def reduced() -> Mapping[str, _Draft]:
        """The automatic groups, including those with too few providers: these may still be part of a group of the
        user's.
        """
        drafts = _automatic_groups(entries, replace(options, min_providers=1))
        return {draft.id: draft for draft in _unique_ids(options, drafts)}

    def members(name: str) -> tuple[_Entry, ...]:
        draft = by_id.get(name) or reduced().get(name)
        return tuple(link.entry for link in draft.links) if draft else ()

    refused = {name for way in chain.circles(options.groups) for name in way}
    found = []
    for own_id, own in options.groups.items():
        if own_id in refused:
            continue
        if links := chain.expand(own, options.groups, offer=by_name.get, group=members):
            found.append(_Draft(short=None, id=own_id, key=own_id, qualified=own_id, links=links))
    return found


def _automatic_groups(entries: Iterable[_Entry], options: Options) -> list[_Draft]:
    drafts: dict[str, list[_Entry]] = {}
    for entry in entries:
        drafts.setdefault(entry.identity.key + _ending(entry, options), []).append(entry)
    found = []
    for key, members in drafts.items():
        if len({entry.offer.provider_id for entry in members}) < options.min_providers:
            continue
        first = members[0].identity
        ending = _ending(members[0], options)
        vendor = f"{first.vendor}-" if first.vendor else ""
        found.append(
            _Draft(
                short=_id(first.stem + ending) if any(entry.identity.undated for entry in members) else "",
                id=_id(first.name + ending),
                key=key,
                qualified=_id(vendor + first.name + ending),
                links=tuple(Link(entry) for entry in sorted(members, key=lambda entry: _order(entry, options.regions))),
            )
        )
    return found


def _ending(entry: _Entry, options: Options) -> str:
    """What keeps an offer out of its key's group: variants that may not be combined, or a date."""
    identity, variant = entry.identity, entry.identity.variant
    allowed = DEFAULT_VARIANTS if options.variants is None else options.variants
    free = entry.listed if options.variants is None else "free" in allowed
    endings = (
        "dated" if not options.combine_latest and identity.undated and identity.written else "",
        variant.quantisation if "quantised" not in allowed else "",
        variant.context if "context" not in allowed else "",
        variant.region if "region" not in allowed else "",
        variant.host if "host" not in allowed else "",
        "confidential" if variant.confidential and "confidential" not in allowed else "",
        "free" if variant.free and not free else "",
    )
    return "".join(f"-{ending}" for ending in endings if ending)


def _id(name: str) -> str:
    return re.sub(r"[\x00-,/:-`{-\x7f]+", "-", name) or "model"


def _order(entry: _Entry, regions: Collection[str]) -> tuple[object, ...]:
    """Providers by rank, then by id. Free offers come after paid ones: for a listed provider after its own paid ones,
    for the others after all paid ones.
    """
    variant = entry.identity.variant
    places = {lower(region): index for index, region in reversed(list(enumerate(regions)))}
    beyond = len(regions) + (0 if variant.region == "" else 1 if variant.region == "global" else 2)
    return (
        entry.rank,
        not entry.listed and variant.free,
        order(entry.offer.provider_id),
        variant.free,
        variant.quantisation != "",
        variant.context != "",
        places.get(variant.region, beyond),
        order(variant.region),
        not entry.identity.written,
        order(entry.offer.model_id),
    )


def _unique_ids(options: Options, automatic: list[_Draft]) -> list[_Draft]:
    """Each model gets the first of these ids that is unique: the name without a date if that means this snapshot, the
    name, the name with its vendor, the same with a number. The user's own ids stay as they are.
    """
    taken = set(options.groups)
    wishes = Counter(wish for draft in automatic for wish in {draft.short or "", draft.id})
    numbers: dict[str, int] = {}
    found = []
    for draft in sorted(automatic, key=lambda draft: order(draft.key)):
        free = [wish for wish in (draft.short, draft.id) if wish and wishes[wish] == 1 and wish not in taken]
        wanted = free[0] if free else draft.qualified
        number = numbers.get(draft.qualified, 1)
        while not free and (wanted in taken or wanted in wishes):
            number += 1
            wanted = f"{draft.qualified}-{number}"
        numbers[draft.qualified] = number
        taken.add(wanted)
        found.append(replace(draft, id=wanted))
    return found
