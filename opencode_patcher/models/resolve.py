"""Which offers are the same model, as far as a whole catalogue can tell.

``resolve`` reads every offer and settles what one id cannot: a size, a context window or a date may be left
out when the catalogue knows just one; a version and a month may name one release; a preview is the released
model while the vendor lists nothing else. The steps run in a fixed order, each over the result of the one
before. ``identity-resolve.ts`` is the same in TypeScript; the two agree on every input.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from opencode_patcher.models.identity import Reading, Step, Variant, read
from opencode_patcher.models.rules import Rules, Vendor, load


_DATE = re.compile(r"[0-9]{6}(?:[0-9]{2})?\Z")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A model as a provider offers it. ``release_date`` is ``YYYY-MM-DD``, shorter, or empty."""

    provider_id: str
    model_id: str
    name: str = ""
    release_date: str = ""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """``key`` is equal for offers of the same model: ``vendor/name``, or the name alone if no vendor is known.

    ``variant`` is how this one is served, ``undated`` says that the key is what the model's name means without
    a date, and ``written`` that this id itself bears a date.
    """

    key: str
    name: str
    vendor: str
    variant: Variant
    undated: bool
    written: bool
    steps: tuple[Step, ...]


class _Item:
    """A reading that the steps below change."""

    def __init__(self, offer: Offer, reading: Reading) -> None:
        self.offer = offer
        self.date = offer.release_date.replace("-", "")
        self.vendor = reading.vendor
        self.row = reading.row
        self.name = reading.name
        self.version = reading.version
        self.size = reading.size
        self.context = reading.context
        self.preview = reading.preview
        self.mode = reading.mode
        self.stamp = reading.stamp
        self.instruct = reading.instruct
        self.rolling = reading.rolling
        self.variant = reading.variant
        self.undated = reading.stamp == ""
        self.written = reading.stamp != ""
        self.steps = list(reading.steps)

    def note(self, rule: str, found: str) -> None:
        self.steps.append(Step(rule=rule, found=found))

    def identity(self) -> Identity:
        parts = [self.name, self.version, self.size, "preview" if self.preview else "", self.mode, self.stamp]
        name = "-".join(part for part in parts if part)
        return Identity(
            key=f"{self.vendor}/{name}" if self.vendor else name,
            name=name,
            vendor=self.vendor,
            variant=self.variant,
            undated=self.undated,
            written=self.written,
            steps=tuple(self.steps),
        )


def resolve(
    offers: Sequence[Offer], catalogue: Iterable[Offer] = (), *, rules: Rules | None = None
) -> tuple[Identity, ...]:
    """Identities of ``offers``, in their order. ``catalogue`` holds further offers that are only learnt from."""
    rules = rules or load()
    items = [
        _Item(offer, read(offer.provider_id, offer.model_id, offer.name, rules=rules)) for offer in (*offers, *catalogue)
    ]
    _adopt_vendors(items)
    _tie_versions(items, rules)
    _settle_contexts(items)
    _settle_sizes(items, rules)
    _settle_previews(items, rules)
    _settle_stamps(items, rules)
    _settle_modes(items, rules)
    return tuple(item.identity() for item in items[: len(offers)])


def _groups(items: Iterable[_Item], key: Callable[[_Item], tuple[object, ...]]) -> list[list[_Item]]:
    found: dict[tuple[object, ...], list[_Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return list(found.values())


def _adopt_vendors(items: list[_Item]) -> None:
    """A name that the table does not know takes the one organisation that others put in front of it."""
    for group in _groups((item for item in items if item.row < 0), lambda item: (item.name,)):
        vendors = {item.vendor for item in group if item.vendor}
        if len(vendors) != 1:
            continue
        vendor = vendors.pop()
        for item in group:
            if not item.vendor:
                item.vendor = vendor
                item.note("one organisation", vendor)


def _tie_versions(items: list[_Item], rules: Rules) -> None:
    """Where a vendor's versions are snapshots, an id that carries both tells which belong together."""
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
            item.note("version", f"{item.version} is {stamp}")
            item.version, item.stamp = "", stamp
            item.undated = False


def _settle_contexts(items: list[_Item]) -> None:
    """A context window is a variant when the model is offered without it too, else a part of the name."""
    for group in _groups(items, lambda item: (item.vendor, item.name, item.version, item.size, item.preview)):
        plain = any(not item.context for item in group)
        for item in group:
            if not item.context:
                continue
            if plain:
                item.variant = replace(item.variant, context=item.context)
                item.note("context is a variant", item.context)
            else:
                item.name = f"{item.name}-{item.context}"


def _settle_sizes(items: list[_Item], rules: Rules) -> None:
    """A size says nothing when the catalogue knows one size only and some offers leave it out."""

    def release(item: _Item) -> str:
        return item.stamp if item.row >= 0 and rules.vendors[item.row].versions else ""

    for group in _groups(
        items, lambda item: (item.vendor, item.name, item.version, item.preview, release(item))
    ):
        sizes = {item.size for item in group if item.size}
        own = rules.sizes.get(group[0].name)
        if own is None and len(sizes) == 1 and any(not item.size for item in group):
            own = next(iter(sizes))
        for item in group:
            if item.size and item.size == own:
                item.note("size goes without saying", item.size)
                item.size = ""


def _settle_previews(items: list[_Item], rules: Rules) -> None:
    """While the vendor's own providers list a model as preview only, its plain name means the preview."""
    for group in _groups(items, lambda item: (item.vendor, item.name, item.version, item.size, item.mode)):
        row = group[0].row
        if row < 0 or not any(item.preview for item in group):
            continue
        own = [item for item in group if item.offer.provider_id in rules.vendors[row].providers]
        if own and all(item.preview for item in own):
            for item in group:
                if item.preview:
                    item.preview = False
                    item.note("only the preview exists", "preview")


def _settle_stamps(items: list[_Item], rules: Rules) -> None:
    for group in _groups(items, lambda item: (item.vendor, item.name, item.version, item.size, item.preview)):
        _complete_stamps(group)
        stamped = {item.stamp for item in group if item.stamp}
        table = rules.snapshots.get(group[0].name)
        vendor = rules.vendors[group[0].row] if group[0].row >= 0 else None
        policy = vendor.undated if vendor else "original"
        rolling = group[0].rolling
        if table:
            for item in group:
                if not item.stamp:
                    item.stamp = table
                    item.note("snapshot", table)
                elif item.stamp == table:
                    item.undated = True
        elif rolling == "release":
            for item in group:
                if not item.stamp:
                    item.stamp = item.date or item.offer.provider_id
                    item.note("rolling name", item.stamp)
        elif stamped and rolling != "apart" and policy == "newest":
            _newest(group, stamped)
        elif stamped and rolling != "apart" and policy == "original":
            _original(group, vendor)


def _settle_modes(items: list[_Item], rules: Rules) -> None:
    """Where the vendor itself lists a hybrid under the plain name, the instruct model is another one."""

    def hybrid(item: _Item) -> bool:
        return item.row >= 0 and rules.vendors[item.row].hybrid and not item.mode and not item.stamp

    for group in _groups(
        (item for item in items if hybrid(item)),
        lambda item: (item.vendor, item.name, item.size, item.preview),
    ):
        own = rules.vendors[group[0].row].providers
        if any(not item.instruct and item.offer.provider_id in own for item in group):
            for item in group:
                if item.instruct:
                    item.mode = "instruct"
                    item.note("the plain name is a hybrid", "instruct")


def _complete_stamps(group: list[_Item]) -> None:
    """0215 is 20260215 when only one snapshot of the model has that month and day."""
    longer = {item.stamp for item in group if len(item.stamp) == 8}
    for item in group:
        if item.stamp and len(item.stamp) != 8:
            matches = [stamp for stamp in longer if _matches(item.stamp, stamp)]
            if len(matches) == 1:
                item.note("date completed", f"{item.stamp} is {matches[0]}")
                item.stamp = matches[0]


def _matches(part: str, date: str) -> bool:
    """Whether the stamp ``part`` can be ``date``, which has eight digits or, without a day, six."""
    if len(part) == 6:
        return date.startswith(part)
    if len(date) != 8:
        return False
    if len(part) == 4:
        return date.endswith(part)
    return date[4:6] == part if len(part) == 2 else date == part


def _newest(group: list[_Item], stamped: set[str]) -> None:
    # Stamps without a year cannot be compared with each other, and a revision has no date at all.
    dated = all(len(stamp) in (6, 8) for stamp in stamped)
    newest = max(stamped)
    if len(stamped) == 1 and not (dated and _older(_usual_date(group), newest)):
        for item in group:
            if item.stamp:
                item.note("the only snapshot", item.stamp)
                item.stamp = ""
                item.undated = True
        return
    if not dated:
        return
    for item in group:
        if item.stamp == newest:
            item.undated = True
        elif not item.stamp:
            if _older(item.date, newest):
                # The host dates it long before the newest snapshot: contested, so it stays apart.
                item.note("released before the newest snapshot", item.offer.release_date)
                continue
            item.note("newest snapshot", newest)
            item.stamp = newest


def _older(date: str, stamp: str) -> bool:
    """Whether ``date`` is more than three months before ``stamp``, both with a year."""
    return _DATE.match(date) is not None and _months(stamp) - _months(date) > 3


def _months(date: str) -> int:
    return int(date[:4]) * 12 + int(date[4:6])


def _usual_date(group: list[_Item]) -> str:
    """The date on which most of the undated offers say that the model came out, as digits; "" if none says."""
    dates = Counter(item.date for item in group if not item.stamp and _DATE.match(item.date))
    months = Counter[str]()
    for date, count in dates.items():
        months[date[:6]] += count
    if not months:
        return ""
    month = min(months, key=lambda month: (-months[month], month))
    return min(
        (date for date in dates if date.startswith(month)), key=lambda date: (-len(date), -dates[date], date)
    )


def _original(group: list[_Item], vendor: Vendor | None) -> None:
    """The undated name is the first release: the snapshot that bears the date on which most say it came out."""
    plain = [item for item in group if not item.stamp and not item.instruct and not item.mode]
    split = vendor is not None and vendor.hybrid and len(plain) > 0
    first = _usual_date(plain if split else group)
    stamped = [item for item in group if item.stamp]
    undated = [item for item in group if not item.stamp]
    last: dict[tuple[bool, str], str] = {}
    for item in stamped:
        mode = (item.instruct, item.mode)
        last[mode] = max(last.get(mode, ""), item.stamp)
    for item in stamped:
        if first and _matches(item.stamp, first):
            item.note("the first release", item.stamp)
            item.stamp = ""
            item.undated = True
    for item in undated:
        stamp = last.get((item.instruct, item.mode), "")
        if split and stamp and (item.instruct or item.mode):
            item.note("the mode came with", stamp)
            item.stamp = stamp
