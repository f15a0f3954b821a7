"""Which snapshot an offer is: dates in one form, and the meaning of a name without a date.

``identity-stamp.ts`` is the same in TypeScript; the two agree on every input.
"""

from __future__ import annotations

import re
from collections import Counter

from opencode_patcher.models.item import Item, groups, stem
from opencode_patcher.models.rules import Rules

_DATE = re.compile(r"[0-9]{6}(?:[0-9]{2})?\Z")
_SLACK_OF_MOST = 3
"""By how many months the release date that most hosts give may precede the only snapshot. Hosts can be that wrong."""
_SLACK_OF_ONE = 1
"""By how many months one host's release date may precede the newest snapshot if an older one exists."""


def settle_stamps(items: list[Item], rules: Rules) -> None:
    """Determine the stamps of all items."""
    for group in groups(items, stem):
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
                    item.steps.note("snapshot", table)
                elif item.stamp == table:
                    item.undated = True
        elif rolling == "release":
            for item in group:
                if not item.stamp:
                    item.stamp = item.date or item.provider_id
                    item.steps.note("rolling name", item.stamp)
        elif stamped and rolling != "apart" and policy == "newest":
            _newest(group, stamped)
        elif stamped and rolling != "apart" and policy == "original":
            hybrid = vendor is not None and vendor.hybrid
            for part in [group] if hybrid else groups(group, lambda item: (item.mode,)):
                _original(part, hybrid=hybrid)


def _complete_stamps(group: list[Item]) -> None:
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
            item.steps.note("date completed", f"{item.stamp} is {completed[item.stamp]}")
            item.stamp = completed[item.stamp]


def _matches(part: str, date: str) -> bool:
    """Whether the shorter stamp ``part`` can mean the eight-digit ``date``."""
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


def _newest(group: list[Item], stamped: set[str]) -> None:
    dated = all(len(stamp) in (6, 8) for stamp in stamped)
    newest = max(stamped)
    if len(stamped) == 1 and not (dated and _older(_usual_date(group), newest, _SLACK_OF_MOST)):
        for item in group:
            item.steps.note("the only snapshot", newest)
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
                # The host dates it long before the newest snapshot: unclear, so it stays separate.
                _contest(item, "released before the newest snapshot")
                continue
            item.steps.note("newest snapshot", newest)
            item.stamp = newest


def _contest(item: Item, rule: str) -> None:
    """It is unclear which snapshot the host serves: the offer only joins others with the same date."""
    item.steps.note(rule, item.date)
    item.stamp = f"undated-{item.date}"
    item.undated = False


def _older(date: str, stamp: str, months: int) -> bool:
    """Whether ``date`` is more than ``months`` before ``stamp``, both with a year."""
    return _DATE.match(date) is not None and _months(stamp) - _months(date) > months


def _months(date: str) -> int:
    return int(date[:4]) * 12 + int(date[4:6])


def _usual_date(group: list[Item]) -> str:
    """The release date that most of the undated offers give, as digits; "" if none does."""
    dates = Counter(item.date for item in group if not item.stamp and _DATE.match(item.date))
    months = Counter[str]()
    for date, count in dates.items():
        months[date[:6]] += count
    if not months:
        return ""
    month = min(months, key=lambda month: (-months[month], month))
    return min((date for date in dates if date.startswith(month)), key=lambda date: (-len(date), -dates[date], date))


def _original(group: list[Item], *, hybrid: bool) -> None:
    """The undated name is the first release: the only snapshot from the month that most offers give."""
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
            item.steps.note("the first release", item.stamp)
            item.stamp = ""
            item.undated = True
    for item in undated:
        stamp = last.get((item.instruct, item.mode), "")
        if split and stamp and (item.instruct or item.mode):
            item.steps.note("the mode came with", stamp)
            item.stamp = stamp
        elif (
            item.date[:6] != first[:6]
            and _DATE.match(item.date)
            and (item.date[:6] in later or item.date[4:6] in later)
        ):
            # The host dates it as a later snapshot: unclear, so it joins neither.
            _contest(item, "released with a later snapshot")
