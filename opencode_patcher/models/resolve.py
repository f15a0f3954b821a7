"""Which offers are the same model, as far as a whole catalogue can tell.

``resolve`` reads every offer and settles what one id cannot: a size, a context window or a date may be left
out when the catalogue knows just one; a version and a month may name one release; a preview is the released
model while the vendor lists nothing else. The steps run in a fixed order, each over the result of the one
before. ``identity-resolve.ts`` is the same in TypeScript; the two agree on every input.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace

from opencode_patcher.models.identity import Reading, Step, Variant, read
from opencode_patcher.models.rules import Rules, load
from opencode_patcher.models.scan import squash

_DATE = re.compile(r"[0-9]{6}(?:[0-9]{2})?\Z")


_SLACK_OF_MOST = 3
"""Months by which the release date that most hosts give may precede the only snapshot. Hosts err by that much."""
_SLACK_OF_ONE = 1
"""Months by which one host's release date may precede the newest snapshot while an older one exists."""


_VENDOR_WORDS = 3
"""The most words that a vendor's name may have in front of a model's."""
_SHORTEST_VENDOR = 3
"""Shorter names are the beginning of too many others."""
_LONGEST_VENDOR = 40
"""Bounds the work for an organisation's name of any length."""
_PLAIN = re.compile(r"[a-z0-9]*\Z")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A model as a provider offers it. ``release_date`` is ``YYYY-MM-DD``, shorter, or empty."""

    provider_id: str
    model_id: str
    name: str = ""
    release_date: str = ""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """``key`` is equal for offers of the same model: ``vendor/name``, or the name if no vendor is known.

    ``stem`` is the name without a date. ``variant`` is how this one is served, ``undated`` says that the key is
    what the model's name means without a date, and ``written`` that this id itself bears a date.
    """

    key: str
    name: str
    stem: str
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

    def contest(self, rule: str) -> None:
        """Nobody can tell which snapshot the host serves: the offer joins only others of the same date."""
        self.note(rule, self.date)
        self.stamp = f"undated-{self.date}"
        self.undated = False

    def identity(self) -> Identity:
        parts = (self.name, self.version, self.size, "preview" if self.preview else "", self.mode)
        stem = "-".join(part for part in parts if part)
        name = f"{stem}-{self.stamp}" if self.stamp else stem
        return Identity(
            key=f"{self.vendor}/{name}" if self.vendor else name,
            name=name,
            stem=stem,
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
    own = {f"{offer.provider_id}/{offer.model_id}" for offer in offers}
    others = [offer for offer in catalogue if f"{offer.provider_id}/{offer.model_id}" not in own]
    items = [
        _Item(offer, read(offer.provider_id, offer.model_id, offer.name, rules=rules))
        for offer in (*offers, *others)
    ]
    _drop_providers(items, rules)
    _adopt_vendors(items)
    _keep_house_names(items)
    _keep_own_tiers(items, rules)
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


def _stem(item: _Item) -> tuple[object, ...]:
    return (item.vendor, item.name, item.version, item.size, item.preview)


def _drop_providers(items: list[_Item], rules: Rules) -> None:
    """An organisation in front of a known family that is a provider itself is the host behind a gateway."""
    providers = {squash(item.offer.provider_id) for item in items}
    for item in items:
        if item.row >= 0 and item.vendor in providers and item.vendor not in rules.vendor_ids:
            item.note("the organisation is a provider", item.vendor)
            item.vendor = rules.vendors[item.row].id


def _adopt_vendors(items: list[_Item]) -> None:
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
                item.note("organisation in front", vendor)
                break
    for group in _groups(unknown, lambda item: (item.name,)):
        counts = Counter(item.vendor for item in group if item.vendor)
        # meituan and meituan-longcat are one organisation when both offer a model of the same name.
        shorter = {vendor: _shortest(vendor, counts) for vendor in counts}
        totals = Counter[str]()
        for vendor, count in counts.items():
            totals[shorter[vendor]] += count
        usual = next(
            (vendor for vendor, count in totals.items() if count * 5 >= sum(totals.values()) * 4), ""
        )
        for item in group:
            vendor = shorter[item.vendor] if item.vendor else usual
            if vendor != item.vendor:
                item.vendor = vendor
                item.note("organisation of the same name", vendor)


def _shortest(vendor: str, others: Container[str]) -> str:
    """The shortest of ``others`` that ``vendor`` begins with, or ``vendor`` itself."""
    if _PLAIN.match(vendor):
        for end in range(_SHORTEST_VENDOR, min(len(vendor), _LONGEST_VENDOR)):
            if vendor[:end] in others:
                return vendor[:end]
    return vendor


def _keep_house_names(items: list[_Item]) -> None:
    """A name of words only that no vendor is known for ("auto", "custom") is the provider's own product."""
    for item in items:
        if item.row < 0 and not item.vendor and not any("0" <= letter <= "9" for letter in item.name):
            item.vendor = item.offer.provider_id
            item.note("house name", item.name)


def _keep_own_tiers(items: list[_Item], rules: Rules) -> None:
    """A fast tier of open weights is its host's own, unless the vendor itself has it."""
    plain = {(item.vendor, item.name) for item in items}
    for group in _groups(items, lambda item: (item.vendor, item.name)):
        vendor = rules.vendors[group[0].row] if group[0].row >= 0 else None
        if not vendor or vendor.undated != "original":
            continue
        words = group[0].name.split("-")
        rest = [word for word in words if word not in rules.own_tiers]
        if len(rest) == len(words) or (group[0].vendor, "-".join(rest)) not in plain:
            continue
        if not any(item.offer.provider_id in vendor.providers for item in group):
            for item in group:
                item.name = f"{item.name}-{item.offer.provider_id}"
                item.note("the host's own tier", item.offer.provider_id)


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
    for group in _groups(items, lambda item: (*_stem(item), item.mode)):
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
    for group in _groups(items, _stem):
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
            hybrid = vendor is not None and vendor.hybrid
            for part in [group] if hybrid else _groups(group, lambda item: (item.mode,)):
                _original(part, hybrid=hybrid)


def _settle_modes(items: list[_Item], rules: Rules) -> None:
    """Where the vendor itself lists a hybrid under the plain name, the instruct model is another one."""

    def hybrid(item: _Item) -> bool:
        return item.row >= 0 and rules.vendors[item.row].hybrid and not item.mode and not item.stamp

    for group in _groups((item for item in items if hybrid(item)), _stem):
        own = rules.vendors[group[0].row].providers
        if any(not item.instruct and item.offer.provider_id in own for item in group):
            for item in group:
                if item.instruct:
                    item.mode = "instruct"
                    item.note("the plain name is a hybrid", "instruct")


def _complete_stamps(group: list[_Item]) -> None:
    """0215 is 20260215 when only one snapshot of the model has that month and day."""
    stamps = {item.stamp for item in group if item.stamp}
    longer = [stamp for stamp in stamps if len(stamp) == 8]
    completed: dict[str, str] = {}
    for stamp in stamps:
        matches = [date for date in longer if stamp != date and _matches(stamp, date)]
        if len(matches) == 1:
            completed[stamp] = matches[0]
    for item in group:
        if item.stamp in completed:
            item.note("date completed", f"{item.stamp} is {completed[item.stamp]}")
            item.stamp = completed[item.stamp]


def _matches(part: str, date: str) -> bool:
    """Whether the shorter stamp ``part`` can be the eight-digit ``date``."""
    if len(part) == 6:
        return date.startswith(part)
    if len(part) == 4:
        return date.endswith(part)
    return len(part) == 2 and date[4:6] == part


def _same_month(stamp: str, date: str) -> bool:
    """Whether ``stamp`` can be a day of the month of ``date``."""
    return _DATE.match(date) is not None and _month_of(stamp) in (date[:6], date[4:6])


def _month_of(stamp: str) -> str:
    """``YYYYMM``, or ``MM`` if the stamp has no year; "" for a revision."""
    return stamp[:6] if len(stamp) in (6, 8) else stamp[:2] if len(stamp) != 3 else ""


def _newest(group: list[_Item], stamped: set[str]) -> None:
    dated = all(len(stamp) in (6, 8) for stamp in stamped)
    newest = max(stamped)
    if len(stamped) == 1 and not (dated and _older(_usual_date(group), newest, _SLACK_OF_MOST)):
        for item in group:
            if item.stamp:
                item.note("the only snapshot", item.stamp)
                item.stamp = ""
                item.undated = True
        return
    # Stamps without a year cannot be compared with each other; revisions (001, 002) can.
    if not dated and not all(len(stamp) == 3 for stamp in stamped):
        return
    for item in group:
        if item.stamp == newest:
            item.undated = True
        elif not item.stamp:
            if dated and _older(item.date, newest, _SLACK_OF_ONE):
                # The host dates it long before the newest snapshot: contested, so it stays apart.
                item.contest("released before the newest snapshot")
                continue
            item.note("newest snapshot", newest)
            item.stamp = newest


def _older(date: str, stamp: str, months: int) -> bool:
    """Whether ``date`` is more than ``months`` before ``stamp``, both with a year."""
    return _DATE.match(date) is not None and _months(stamp) - _months(date) > months


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


def _original(group: list[_Item], *, hybrid: bool) -> None:
    """The undated name is the first release: the one snapshot of the month in which most say it came out."""
    plain = [item for item in group if not item.stamp and not item.instruct and not item.mode]
    split = hybrid and len(plain) > 0
    first = _usual_date(plain if split else group)
    stamped = [item for item in group if item.stamp]
    undated = [item for item in group if not item.stamp]
    firsts = {item.stamp for item in stamped if _same_month(item.stamp, first)}
    later = {_month_of(item.stamp) for item in stamped if item.stamp not in firsts}
    last: dict[tuple[bool, str], str] = {}
    for item in stamped:
        mode = (item.instruct, item.mode)
        last[mode] = max(last.get(mode, ""), item.stamp)
    for item in stamped:
        if len(firsts) == 1 and item.stamp in firsts:
            item.note("the first release", item.stamp)
            item.stamp = ""
            item.undated = True
    for item in undated:
        stamp = last.get((item.instruct, item.mode), "")
        if split and stamp and (item.instruct or item.mode):
            item.note("the mode came with", stamp)
            item.stamp = stamp
        elif (
            item.date[:6] != first[:6]
            and _DATE.match(item.date)
            and (item.date[:6] in later or item.date[4:6] in later)
        ):
            # The host dates it as a later snapshot: contested, so it joins neither.
            item.contest("released with a later snapshot")
