"""Why a model is in its group: the rules that applied, and why the most similar names are other models."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from opencode_patcher.base.errors import UsageError
from opencode_patcher.models.grouping import Group, Options, group
from opencode_patcher.models.identity import Variant
from opencode_patcher.models.nearest import nearest
from opencode_patcher.models.resolve import Identity, Offer, resolve
from opencode_patcher.models.rules import PATH, load
from opencode_patcher.models.scan import order, scan
from opencode_patcher.models.words import Step

_NEIGHBOURS = 8
_MODES = ("thinking", "nothinking", "reasoning", "nonreasoning", "instruct", "preview")
_TIERS = ("fast", "turbo", "highspeed", "lightning", "mini", "nano", "lite", "flash", "pro", "max", "codex")


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A similar name that is another model. ``example`` is one ``provider/model`` of it, ``offers`` their number."""

    key: str
    example: str
    offers: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """``group`` is None when the model is not combined; ``outcome`` is the result in one sentence."""

    offer: Offer
    identity: Identity
    group: Group | None
    outcome: str
    neighbours: tuple[Neighbour, ...]


def explain(offers: Sequence[Offer], name: str, options: Options) -> Explanation:
    """Explain ``name`` (``provider/model``) among ``offers``.

    Raises UsageError with the nearest known name when there is no such offer.
    """
    found = next((index for index, offer in enumerate(offers) if _name(offer) == name), None)
    if found is None:
        raise _no_such_model(offers, name)
    identities = resolve(offers)
    groups = group(offers, options)
    offer, identity = offers[found], identities[found]
    own = next((candidate for candidate in groups if _holds(candidate, offer)), None)
    same = [other for other, known in zip(offers, identities, strict=True) if known.key == identity.key]
    return Explanation(
        offer=offer,
        identity=identity,
        group=own,
        outcome=_outcome(offer, identity, own, same, options),
        neighbours=_neighbours(offers, identities, identity),
    )


def reason(step: Step) -> str:
    """The reason for the rule behind ``step``, from ``rules.toml``; "" if it is not in there."""
    return _reasons().get((step.rule, step.found)) or _reasons().get((step.rule, ""), "")


@cache
def _reasons() -> dict[tuple[str, str], str]:
    table = tomllib.loads(PATH.read_text(encoding="utf-8"))
    found = {(row["rule"], ""): row["reason"] for row in table["step"]}
    found |= {(name, ""): table[name]["reason"] for name in ("regions", "prefixes", "repackers", "titles")}
    for row in table["word"]:
        found |= {(row["class"], word): row["reason"] for word in row["words"]}
    for row in table["place"]:
        found |= {("place", word): row["reason"] for word in row["words"]}
    for row in table["vendor"]:
        found |= {("anywhere", word): row["reason"] for word in row.get("anywhere", ())}
    found |= {("scheme", row["text"]): row["reason"] for row in table["scheme"]}
    found |= {("synonym", " ".join(row["from"])): row["reason"] for row in table["synonym"]}
    found |= {("ending", row["word"]): row["reason"] for row in table["ending"]}
    found |= {("abbreviation", row["word"]): row["reason"] for row in table["abbreviation"]}
    whole = load().whole
    for row in table["alias"]:
        name = row["from"] if row.get("raw") else " ".join(scan(row["from"], whole).words)
        found["alias", name] = row["reason"]
    return found


def difference(here: Identity, there: Identity) -> str:
    """Why two keys are not the same model, in a few words."""
    if here.vendor != there.vendor:
        return f"another vendor or publisher ({there.vendor or 'unknown'})"
    left, right = here.name.split("-"), there.name.split("-")
    more = [word for word in right if word not in left]
    less = [word for word in left if word not in right]
    words = [*less, *more]
    if any(word.isascii() and word.isdigit() and len(word) in (4, 6, 8) for word in words) or "undated" in words:
        kind = "another snapshot"
    elif any(word in _MODES for word in words):
        kind = "another mode"
    elif any(word in _TIERS for word in words):
        kind = "another tier"
    elif any(word[:1].isdigit() and word[-1:] in "bt" for word in words):
        kind = "another size"
    else:
        kind = "another generation or model"
    return f"{kind} ({' '.join(less) or '-'} here, {' '.join(more) or '-'} there)"


def describe(variant: Variant) -> tuple[str, ...]:
    """The terms on which an offer is served, in words; empty for normal ones."""
    return tuple(
        text
        for text in (
            "free" if variant.free else "",
            f"quantised ({variant.quantisation})" if variant.quantisation else "",
            f"context of {variant.context}" if variant.context else "",
            f"region {variant.region}" if variant.region else "",
            f"hosting: {variant.host}" if variant.host else "",
            "confidential" if variant.confidential else "",
        )
        if text
    )


def _name(offer: Offer) -> str:
    return f"{offer.provider_id}/{offer.model_id}"


def _holds(candidate: Group, offer: Offer) -> bool:
    return any(
        member.provider_id == offer.provider_id and member.model_id == offer.model_id for member in candidate.members
    )


def _no_such_model(offers: Sequence[Offer], name: str) -> UsageError:
    provider = name.split("/")[0]
    own = [_name(offer) for offer in offers if offer.provider_id == provider]
    near = nearest(name, own) if own else nearest(provider, [offer.provider_id for offer in offers])
    what = f"The catalogue has no model {name}." if own else f"The catalogue has no provider {provider}."
    hint = f"Did you mean {near}?" if near else "To list the models: opencode-patcher models keys"
    return UsageError(what, next_step=hint)


def _outcome(offer: Offer, identity: Identity, own: Group | None, same: Sequence[Offer], options: Options) -> str:
    if own:
        providers = len({member.provider_id for member in own.members})
        return f"Combined as combined/{own.id}: {len(own.members)} models of {providers} providers."
    providers = len({other.provider_id for other in same})
    if providers < options.min_providers:
        others = "no other provider offers it" if providers == 1 else f"{providers} providers offer it"
        return f"Not combined: {others}, and a group needs {options.min_providers} (combined.min_providers)."
    terms = ", ".join(describe(identity.variant)) or "on normal terms"
    return (
        f"Not combined: {_name(offer)} is {terms}, and too few providers offer the model on terms that may be"
        " mixed with that (combined.variants, combined.exclude)."
    )


def _neighbours(offers: Sequence[Offer], identities: Sequence[Identity], identity: Identity) -> tuple[Neighbour, ...]:
    words = set(identity.name.split("-"))
    first = identity.name.split("-")[0]
    candidates: dict[str, list[int]] = {}
    for index, other in enumerate(identities):
        if other.key != identity.key and other.name.split("-")[0] == first:
            candidates.setdefault(other.key, []).append(index)

    def distance(key: str) -> tuple[object, ...]:
        other = identities[candidates[key][0]]
        return (len(words ^ set(other.name.split("-"))), other.vendor != identity.vendor, order(key))

    return tuple(
        Neighbour(
            key=key,
            example=_name(offers[candidates[key][0]]),
            offers=len(candidates[key]),
            why=difference(identity, identities[candidates[key][0]]),
        )
        for key in sorted(candidates, key=distance)[:_NEIGHBOURS]
    )
