"""What the tests of this room share: labels, scoring, and the two languages' spelling of one value."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from opencode_patcher.models.chain import Chain, How, Item
from opencode_patcher.models.grouping import Group, Options
from opencode_patcher.models.resolve import Identity, Offer


@dataclass(frozen=True, kw_only=True)
class Label:
    """An offer of which somebody said which model it is. Equal labels are the same model."""

    offer: Offer
    label: str
    flags: frozenset[str]

    @staticmethod
    def of(row: Mapping[str, Any]) -> Label:
        return Label(
            offer=Offer(
                provider_id=row["provider"],
                model_id=row["model_id"],
                name=row["name"],
                release_date=row["release_date"] or "",
            ),
            label=row["label"],
            flags=frozenset(row["flags"]),
        )


@dataclass(frozen=True, kw_only=True)
class Score:
    """Pairs of offers at different providers. ``merged`` holds the keys that join two labels."""

    right: int
    wrong: int
    missed: int
    merged: tuple[tuple[str, ...], ...]

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)


def score(
    labels: Sequence[Label],
    keys: Mapping[tuple[str, str], str],
    contested: frozenset[frozenset[str]] = frozenset(),
) -> Score:
    """Compare the keys of labelled offers with their labels, pair by pair of different providers."""
    by_key: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    by_label: dict[str, Counter[str]] = defaultdict(Counter)
    for row in labels:
        provider = row.offer.provider_id
        by_key[keys[provider, row.offer.model_id]][row.label][provider] += 1
        by_label[row.label][provider] += 1
    right = sum(_pairs(counts, counts) for found in by_key.values() for counts in found.values()) // 2
    all_pairs = sum(_pairs(counts, counts) for counts in by_label.values()) // 2
    wrong, merged = 0, []
    for key, found in by_key.items():
        for left, other in combinations(sorted(found), 2):
            count = _pairs(found[left], found[other])
            if count and frozenset((left, other)) not in contested:
                wrong += count
                merged.append((key, left, other))
    return Score(right=right, wrong=wrong, missed=all_pairs - right, merged=tuple(merged))


def _pairs(left: Counter[str], right: Counter[str]) -> int:
    same = sum(count * right[provider] for provider, count in left.items())
    return left.total() * right.total() - same


def offers(*names: str, released: str = "") -> list[Offer]:
    """Offers from ``provider/model`` texts."""
    return [
        Offer(provider_id=name.split("/")[0], model_id=name.split("/", 1)[1], release_date=released) for name in names
    ]


def to_typescript(offer: Offer) -> dict[str, str]:
    return {
        "providerID": offer.provider_id,
        "modelID": offer.model_id,
        "name": offer.name,
        "releaseDate": offer.release_date,
    }


def options_to_typescript(options: Options) -> dict[str, object]:
    return {
        "priority": options.priority,
        "minProviders": options.min_providers,
        "combineLatest": options.combine_latest,
        "exclude": options.exclude,
        "groups": {name: chain_to_typescript(found) for name, found in options.groups.items()},
        "fallbacks": {name: chain_to_typescript(found) for name, found in options.fallbacks.items()},
        "variants": options.variants,
        "regions": options.regions,
        "require": asdict(options.require),
    }


def chain(*models: str | Item, by_priority: bool = False) -> Chain:
    """A chain from the names of its models."""
    items = tuple(Item(model=model) if isinstance(model, str) else model for model in models)
    return Chain(items=items, by_priority=by_priority)


def chain_to_typescript(chain: Chain) -> object:
    """In the short form where there is one, so that both are tried."""
    models = [{"model": item.model} | _said(item.how) if _said(item.how) else item.model for item in chain.items]
    return {"models": models, "order": "priority"} if chain.by_priority else models


def _said(how: How) -> dict[str, object]:
    """What is said, as JSON has it."""
    said = {name: value for name, value in asdict(how).items() if value is not None}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}


def identity_to_typescript(identity: Identity) -> dict[str, object]:
    found = asdict(identity)
    del found["steps"]
    return found


def group_to_typescript(group: Group) -> dict[str, object]:
    return {
        "id": group.id,
        "key": group.key,
        "name": group.name,
        "members": [
            {
                "providerID": member.provider_id,
                "modelID": member.model_id,
                "identity": member.identity,
                "variant": asdict(member.variant),
            }
            | ({"how": how} if (how := _said(member.how)) else {})
            for member in group.members
        ],
    }
