"""The labels: how many pairs of offers of one model are found, and how many of two are joined."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Callable, Sequence

import pytest

from opencode_patcher.models.resolve import Offer, resolve
from opencode_patcher.models.rules import PATH, Rules, compile_rules
from tests.models.model_samples import Label, Score, score

Contested = frozenset[frozenset[str]]


def judge(labels: Sequence[Label], offers: Sequence[Offer], contested: Contested, rules: Rules | None = None) -> Score:
    """The score of resolving ``offers``, over those of them that have a label."""
    identities = resolve(offers, rules=rules)
    keys = {(o.provider_id, o.model_id): identity.key for o, identity in zip(offers, identities, strict=True)}
    known = [row for row in labels if (row.offer.provider_id, row.offer.model_id) in keys]
    return score(known, keys, contested)


def test_precision_and_recall(labels: tuple[Label, ...], contested: Contested) -> None:
    found = judge(labels, [row.offer for row in labels], contested)
    assert found.precision >= 0.999, json.dumps(found.merged, indent=1)
    assert found.recall >= 0.95
    assert len(found.merged) <= 3


def test_the_rest_of_the_catalogue_does_not_disturb(
    labels: tuple[Label, ...], contested: Contested, catalogue_offers: tuple[Offer, ...]
) -> None:
    found = judge(labels, catalogue_offers, contested)
    assert found.precision >= 0.999, json.dumps(found.merged, indent=1)
    assert found.recall >= 0.95


def test_the_names_alone_suffice(labels: tuple[Label, ...], contested: Contested) -> None:
    """Without dates and display names hardly anything may be joined that is not the same."""
    bare = [Offer(provider_id=row.offer.provider_id, model_id=row.offer.model_id) for row in labels]
    found = judge(labels, bare, contested)
    assert found.precision >= 0.995, json.dumps(found.merged, indent=1)
    assert found.recall >= 0.95


@pytest.mark.parametrize("until", ["2024-12", "2025-06", "2025-12"])
def test_older_catalogues(labels: tuple[Label, ...], contested: Contested, until: str) -> None:
    found = judge(labels, [row.offer for row in labels if row.offer.release_date < until], contested)
    assert found.precision >= 0.999, json.dumps(found.merged, indent=1)
    assert found.recall >= 0.95


def test_a_few_providers_alone(labels: tuple[Label, ...], contested: Contested) -> None:
    """What a user without the catalogue would see: it is the catalogue that tells how many snapshots there are."""
    chosen = random.Random(3)
    providers = sorted({row.offer.provider_id for row in labels})
    scores = []
    for count in (2, 3, 5, 8, 13, 20) * 10:
        mine = set(chosen.sample(providers, count))
        scores.append(judge(labels, [row.offer for row in labels if row.offer.provider_id in mine], contested))
    right, wrong = sum(found.right for found in scores), sum(found.wrong for found in scores)
    assert right > 2000
    assert wrong <= right / 500


@pytest.mark.parametrize("vendor", ["anthropic", "deepseek", "moonshot", "openai", "zai"])
def test_vendors_that_are_not_in_the_table(
    labels: tuple[Label, ...], contested: Contested, catalogue_offers: tuple[Offer, ...], vendor: str
) -> None:
    """The next vendor is not in the table yet: nothing may be joined wrongly, and much should still be found."""
    table = tomllib.loads(PATH.read_text(encoding="utf-8"))
    table["vendor"] = [row for row in table["vendor"] if row["id"] != vendor]
    own = [row for row in labels if row.label.startswith(f"{vendor}/")]
    found = judge(own, catalogue_offers, contested, compile_rules(table))
    assert found.precision >= 0.999, json.dumps(found.merged, indent=1)
    assert found.recall >= 0.7


def test_order_does_not_matter(labels: tuple[Label, ...]) -> None:
    """Which offers share a key must not hang on the order in which a catalogue lists them."""
    offers = [row.offer for row in labels]
    expected = partition(offers, lambda offer: offer)
    for seed in range(3):
        shuffled = list(offers)
        random.Random(seed).shuffle(shuffled)
        assert partition(shuffled, lambda offer: offer) == expected


def partition(offers: Sequence[Offer], see: Callable[[Offer], Offer]) -> set[frozenset[Offer]]:
    groups: dict[str, set[Offer]] = {}
    for offer, identity in zip(offers, resolve([see(offer) for offer in offers]), strict=True):
        groups.setdefault(identity.key, set()).add(offer)
    return {frozenset(group) for group in groups.values()}


def test_capitals_do_not_matter(labels: tuple[Label, ...]) -> None:
    offers = [row.offer for row in labels]

    def capitals(offer: Offer) -> Offer:
        return Offer(
            provider_id=offer.provider_id,
            model_id=offer.model_id.upper(),
            name=offer.name.upper(),
            release_date=offer.release_date,
        )

    assert partition(offers, capitals) == partition(offers, lambda offer: offer)
