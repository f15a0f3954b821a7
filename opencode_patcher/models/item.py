"""An offer whose identity is being determined."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opencode_patcher.models.identity import Reading
from opencode_patcher.models.rules import Rules, Vendor
from opencode_patcher.models.words import Steps


class Item:
    """A reading that the steps over the catalogue modify.

    ``date`` is the release date without dashes. ``undated`` means that key and undated name are the same, ``written``
    that the id itself has a date.
    """

    def __init__(self, provider_id: str, release_date: str, reading: Reading) -> None:
        self.provider_id = provider_id
        self.date = release_date.replace("-", "")
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
        self.steps = Steps(reading.steps)

    def of(self, rules: Rules) -> Vendor | None:
        """The vendor's row in the table."""
        return rules.vendors[self.row] if self.row >= 0 else None


def stem(item: Item) -> tuple[object, ...]:
    """What distinguishes models and their kinds, except mode and snapshot."""
    return (item.vendor, item.name, item.version, item.size, item.preview)


def groups(items: Iterable[Item], key: Callable[[Item], tuple[object, ...]]) -> list[list[Item]]:
    """Items with equal keys, in their order."""
    found: dict[tuple[object, ...], list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return list(found.values())
