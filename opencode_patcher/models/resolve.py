"""Which offers are the same model, according to the whole catalogue.

``resolve`` reads every offer and decides what a single id cannot: a size, a context window or a date may be left out
when the catalogue has just one; a version and a month may name one release; a preview counts as the released model
while the vendor lists nothing else. The steps run in a fixed order, each on the result of the previous one.
``identity-resolve.ts`` is the same in TypeScript; the two agree on every input.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from opencode_patcher.models.identity import Variant, read
from opencode_patcher.models.item import Item, groups, stem
from opencode_patcher.models.rules import Rules, load
from opencode_patcher.models.snapshots import settle_stamps
from opencode_patcher.models.vendors import adopt_vendors, drop_providers, keep_house_names, keep_own_tiers
from opencode_patcher.models.words import Step


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A model as a provider offers it. ``release_date`` is ``YYYY-MM-DD``, shorter, or empty."""

    provider_id: str
    model_id: str
    name: str = ""
    release_date: str = ""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """``key`` is equal for offers of the same model: ``vendor/name``, or just the name if the vendor is unknown.

    ``stem`` is the name without a date. ``variant`` is how this one is served, ``undated`` means that the name without
    a date means this key, and ``written`` that this id itself has a date.
    """

    key: str
    name: str
    stem: str
    vendor: str
    variant: Variant
    undated: bool
    written: bool
    steps: tuple[Step, ...]


def resolve(
    offers: Sequence[Offer], catalogue: Iterable[Offer] = (), *, rules: Rules | None = None
) -> tuple[Identity, ...]:
    """Identities of ``offers``, in their order. ``catalogue`` has further offers that are only learnt from."""
    rules = rules or load()
    own = {f"{offer.provider_id}/{offer.model_id}" for offer in offers}
    others = [offer for offer in catalogue if f"{offer.provider_id}/{offer.model_id}" not in own]
    items = [
        Item(
            offer.provider_id,
            offer.release_date,
            read(offer.provider_id, offer.model_id, offer.name, rules=rules),
        )
        for offer in (*offers, *others)
    ]
    drop_providers(items, rules)
    adopt_vendors(items)
    keep_house_names(items)
    keep_own_tiers(items, rules)
    _tie_versions(items, rules)
    _settle_contexts(items)
    _settle_sizes(items, rules)
    _settle_previews(items, rules)
    settle_stamps(items, rules)
    _settle_modes(items, rules)
    return tuple(_identity(item) for item in items[: len(offers)])


def _identity(item: Item) -> Identity:
    parts = (item.name, item.version, item.size, "preview" if item.preview else "", item.mode)
    stem = "-".join(part for part in parts if part)
    name = f"{stem}-{item.stamp}" if item.stamp else stem
    return Identity(
        key=f"{item.vendor}/{name}" if item.vendor else name,
        name=name,
        stem=stem,
        vendor=item.vendor,
        variant=item.variant,
        undated=item.undated,
        written=item.written,
        steps=tuple(item.steps),
    )


def _tie_versions(items: list[Item], rules: Rules) -> None:
    """If a vendor's versions are snapshots, an id that has both tells which belong together."""
    ties: dict[str, str] = {}
    for item in items:
        if item.version and item.stamp:
            ties.setdefault(f"{item.name} {item.version}", item.stamp)
    ties |= rules.versions
    for item in items:
        if not item.version:
            continue
        stamp = item.stamp or ties.get(f"{item.name} {item.version}", "")
        if stamp:
            item.steps.note("version", f"{item.version} is {stamp}")
            item.version, item.stamp = "", stamp
            item.undated = False


def _settle_contexts(items: list[Item]) -> None:
    """A context window is a variant if the model is also offered without it, otherwise it is part of the name."""
    for group in groups(items, lambda item: (*stem(item), item.mode)):
        plain = any(not item.context for item in group)
        for item in group:
            if not item.context:
                continue
            if plain:
                item.variant = replace(item.variant, context=item.context)
                item.steps.note("context is a variant", item.context)
            else:
                item.name = f"{item.name}-{item.context}"


def _settle_sizes(items: list[Item], rules: Rules) -> None:
    """A size is ignored when the catalogue has only one and some offers leave it out."""

    def release(item: Item) -> str:
        return item.stamp if item.row >= 0 and rules.vendors[item.row].versions else ""

    for group in groups(items, lambda item: (item.vendor, item.name, item.version, item.preview, release(item))):
        # The sizes of closed models are tiers: gemini-1.5-flash-8b is another model than gemini-1.5-flash.
        vendor = rules.vendors[group[0].row] if group[0].row >= 0 else None
        if not vendor or not (vendor.undated == "original" or vendor.versions):
            continue
        sizes = {item.size for item in group if item.size}
        own = rules.sizes.get(group[0].name)
        if own is None and len(sizes) == 1 and any(not item.size for item in group):
            own = next(iter(sizes))
        for item in group:
            if item.size and item.size == own:
                item.steps.note("size goes without saying", item.size)
                item.size = ""


def _settle_previews(items: list[Item], rules: Rules) -> None:
    """While the vendor's own providers list a model only as a preview, its plain name means the preview."""
    for group in groups(items, lambda item: (item.vendor, item.name, item.version, item.size, item.mode)):
        row = group[0].row
        if row < 0 or not any(item.preview for item in group):
            continue
        own = [item for item in group if item.provider_id in rules.vendors[row].providers]
        if own and all(item.preview for item in own):
            for item in group:
                if item.preview:
                    item.preview = False
                    item.steps.note("only the preview exists", "preview")


def _settle_modes(items: list[Item], rules: Rules) -> None:
    """If the vendor itself lists a hybrid under the plain name, the instruct model is another one."""

    def hybrid(item: Item) -> bool:
        return item.row >= 0 and rules.vendors[item.row].hybrid and not item.mode and not item.stamp

    for group in groups((item for item in items if hybrid(item)), stem):
        own = rules.vendors[group[0].row].providers
        if any(not item.instruct and item.provider_id in own for item in group):
            for item in group:
                if item.instruct:
                    item.mode = "instruct"
                    item.steps.note("the plain name is a hybrid", "instruct")
