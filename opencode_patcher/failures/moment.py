"""Moments and spans as providers write them, in milliseconds from now. Twin of ``combined/failure/moment.ts``."""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime
from math import ceil, isfinite
from zoneinfo import ZoneInfo

UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}

_CHINESE = (("秒", "s"), ("分", "m"), ("小时", "h"), ("天", "d"), ("周", "w"), ("星期", "w"))


def unit(word: str) -> int:
    """The length of a unit in letters, or in Chinese."""
    if word.startswith("milli"):
        return 1
    return UNITS.get(next((name for sign, name in _CHINESE if sign in word), word[0]), 0)


def number(text: str) -> float | None:
    """A number that is not negative, as JSON writes it."""
    found = re.fullmatch(r"\s*([0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?)\s*", text, re.ASCII)
    return float(found[1]) if found else None


def moment(text: str, now: float, zone: str | None = None) -> float | None:
    """A span ("6m0s"), a date, seconds from now, or a time since the epoch in seconds or milliseconds."""
    value = number(text)
    if value is None:
        found = span(text)
        return date(text, now, zone) if found is None else found
    wait = value - now if value > 1e12 else value * 1000 - now if value > 1e9 else value * 1000
    return ceil(wait) if wait > 0 and isfinite(wait) else None


def span(text: str) -> float | None:
    """Counted units without a space between them."""
    if not re.fullmatch(r"(?:[0-9]{1,9}(?:\.[0-9]{1,12})?(?:ms|[smhdw])){1,6}", text):
        return None
    pieces = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhdw])", text)
    return ceil(sum(float(count) * UNITS[name] for count, name in pieces))


_ISO = re.compile(
    r"([0-9]{4})[-年]([0-9]{1,2})[-月]([0-9]{1,2})日?"
    r"(?:[T ]{1,2}([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?)? ?([^\n\r\u2028\u2029]{0,12})"
)
_HTTP = re.compile(
    r"(?:[A-Z][a-z]{2}, )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) "
    r"([^\n\r\u2028\u2029]{1,12})"
)
_LETTERS = re.compile(
    r"(?:([0-9]{1,2}) )?([A-Za-z]{3})[a-z]{0,6}\.?(?: ([0-9]{1,2})(?:st|nd|rd|th)?)?,?(?: ([0-9]{4}))?,?(?: at)?"
    r" ([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?: ?([AP]M))?",
    re.IGNORECASE | re.ASCII,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def date(text: str, now: float, zone: str | None = None) -> float | None:
    """Milliseconds until a date; None if the date is past. A date without a time zone is in ``zone``, and None without
    that.
    """
    if iso := _ISO.fullmatch(text.strip()):
        year, month, day, hour, minute, second, named = iso.groups()
        return _until((year, month, day, hour or 0, minute or 0, second or 0), named or zone, now)
    if http := _HTTP.fullmatch(text.strip()):
        day, name, year, hour, minute, second, named = http.groups()
        return _until((year, _month(name), day, hour, minute, second), named, now)
    return None


def letters(text: str, now: float, zone: str) -> float | None:
    """Milliseconds until a date whose month is in letters. Without a year, the next such date."""
    found = _LETTERS.fullmatch(text.strip())
    day = (found[1] or found[3]) if found else None
    if not found or day is None:
        return None
    hour = hours(int(found[5]), found[8])
    if hour is None:
        return None
    rest = (_month(found[2]), day, hour, found[6], found[7] or 0)
    if found[4] is not None:
        return _until((found[4], *rest), zone, now)
    year = datetime.fromtimestamp(now / 1000, UTC).year
    this = _until((year, *rest), zone, now)
    return _until((year + 1, *rest), zone, now) if this is None else this


def hours(hour: int, half: str | None) -> int | None:
    """The hour from 0 to 23, from a clock of twelve hours or of twenty-four; None if there is no such hour."""
    if half is None:
        return hour if hour < 24 else None
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half.strip().lower() == "pm" else 0)


def _month(name: str) -> int:
    return _MONTHS.index(name.lower()) + 1 if name.lower() in _MONTHS else 0


def _until(parts: tuple[object, ...], zone: str | None, now: float) -> float | None:
    year, month, day, hour, minute, second = (int(str(part)) for part in parts)
    offset = None if zone is None else _offset(zone)
    if offset is None or year < 1970 or not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    if hour > 24 or minute > 59 or second > 60:
        return None
    # A thirtieth of February is the second of March, on both sides.
    start = timegm((year, month, 1, 0, 0, 0)) * 1000
    time = ((((day - 1) * 24 + hour) * 60 + minute) * 60 + second) * 1000
    found = start + time - offset - now
    return found if found > 0 else None


_OFFSET = re.compile(
    r"\(?(?:Z|UTC|GMT|(?=[+-]))(?:([+-])([0-9]{1,2})(?::?([0-9]{2}))?)?(?: [A-Z]{2,5})?\)?", re.IGNORECASE | re.ASCII
)


def _offset(zone: str) -> int | None:
    if zone == "北京时间":
        return 8 * UNITS["h"]
    found = _OFFSET.fullmatch(zone.strip())
    if not found:
        return None
    sign = -1 if found[1] == "-" else 1
    return sign * (int(found[2] or 0) * UNITS["h"] + int(found[3] or 0) * UNITS["m"])


def zone(name: str, now: float) -> int | None:
    """How many milliseconds a zone is ahead of Greenwich at a moment. ``name`` is an offset like those above, or a name
    like "Asia/Seoul".
    """
    fixed = _offset(name)
    if fixed is not None:
        return fixed
    try:
        ahead = datetime.fromtimestamp(now / 1000, ZoneInfo(name)).utcoffset()
    except (KeyError, ValueError, OSError, OverflowError):
        return None
    return None if ahead is None else round(ahead.total_seconds() * 1000)
