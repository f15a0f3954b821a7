"""Finds the vendor of a model that the table does not know, from how others in the catalogue write its name.

``identity-vendor.ts`` is the same in TypeScript; the two agree on every input.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container

from opencode_patcher.models.item import Item, groups
from opencode_patcher.models.rules import Rules
from opencode_patcher.models.scan import squash

_VENDOR_WORDS = 3
"""The most words of a vendor's name in front of a model's."""
_SHORTEST_VENDOR = 3
"""Shorter names are prefixes of too many others."""
_LONGEST_VENDOR = 40
"""Limits the work for long organisation names."""
_PLAIN = re.compile(r"[a-z0-9]*\Z")


def drop_providers(items: list[Item], rules: Rules) -> None:
    """If an organisation in front of a known family is itself a provider, it is the host behind a gateway."""
    providers = {squash(item.provider_id) for item in items}
    for item in items:
        if item.row >= 0 and item.vendor in providers and item.vendor not in rules.vendor_ids:
            item.steps.note("the organisation is a provider", item.vendor)
            item.vendor = rules.vendors[item.row].id


def adopt_vendors(items: list[Item]) -> None:
    """Find the vendor of names that the table does not know from how others in the catalogue write them."""
    unknown = [item for item in items if item.row < 0]
    organised = {(item.vendor, item.name) for item in unknown if item.vendor}
    organisations = {vendor for vendor, _ in organised}
    for item in unknown:
        if item.vendor:
            continue
        words = item.name.split("-")
        for count in range(1, min(_VENDOR_WORDS, len(words) - 1) + 1):
            vendor, name = "".join(words[:count]), "-".join(words[count:])
            if vendor in organisations and (vendor, name) in organised:
                item.vendor, item.name = vendor, name
                item.steps.note("organisation in front", vendor)
                break
    for group in groups(unknown, lambda item: (item.name,)):
        counts = Counter(item.vendor for item in group if item.vendor)
        # meituan and meituan-longcat are one organisation when both offer a model of the same name.
        shorter = {vendor: _shortest(vendor, counts) for vendor in counts}
        totals = Counter[str]()
        for vendor, count in counts.items():
            totals[shorter[vendor]] += count
        usual = next((vendor for vendor, count in totals.items() if count * 5 >= sum(totals.values()) * 4), "")
        for item in group:
            vendor = shorter[item.vendor] if item.vendor else usual
            if vendor != item.vendor:
                item.vendor = vendor
                item.steps.note("organisation of the same name", vendor)


def _shortest(vendor: str, others: Container[str]) -> str:
    """The shortest of ``others`` that ``vendor`` begins with, or ``vendor`` itself."""
    if _PLAIN.match(vendor):
        for end in range(_SHORTEST_VENDOR, min(len(vendor), _LONGEST_VENDOR)):
            if vendor[:end] in others:
                return vendor[:end]
    return vendor


def keep_house_names(items: list[Item]) -> None:
    """A name of only words without a known vendor ("auto", "custom") is the provider's own product."""
    for item in items:
        if item.row < 0 and not item.vendor and not any("0" <= letter <= "9" for letter in item.name):
            item.vendor = item.provider_id
            item.steps.note("house name", item.name)


def keep_own_tiers(items: list[Item], rules: Rules) -> None:
    """A fast tier of open weights is its host's own, unless the vendor itself has it."""
    plain = {(item.vendor, item.name) for item in items}
    for group in groups(items, lambda item: (item.vendor, item.name)):
        vendor = rules.vendors[group[0].row] if group[0].row >= 0 else None
        if not vendor or vendor.undated != "original":
            continue
        words = group[0].name.split("-")
        rest = [word for word in words if word not in rules.own_tiers]
        if len(rest) == len(words) or (group[0].vendor, "-".join(rest)) not in plain:
            continue
        if not any(item.provider_id in vendor.providers for item in group):
            for item in group:
                item.name = f"{item.name}-{item.provider_id}"
                item.steps.note("the host's own tier", item.provider_id)
