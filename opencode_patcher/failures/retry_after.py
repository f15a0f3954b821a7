"""When a provider says that it can be asked again. Twin of ``templates/combined/failure/retry-after.ts``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, floor

from opencode_patcher.failures import moment

LONGEST = 366 * 86_400_000
"""No limit lasts longer. A longer time is a mistake, and the schedule decides instead."""

_DAY_LENGTH = 86_400_000


def read(
    headers: Mapping[str, str],
    texts: Sequence[str],
    *,
    limit: bool,
    now: float,
    zone: str | None = None,
    places: Sequence[str] = (),
) -> float | None:
    """Milliseconds from ``now``. ``places`` are where this vendor states the time; they are looked at first."""
    if "none" in places:
        return None
    lower = {key.lower(): value for key, value in headers.items()}
    waits: list[Callable[[], float | None]] = [
        *(_place(place, lower, texts, now, zone) for place in places),
        lambda: _milliseconds(lower.get("retry-after-ms")),
        lambda: _retry_after(lower.get("retry-after"), now),
    ]
    if limit:
        waits += [lambda: _limits(lower, now), lambda: _said(texts, now, zone)]
    return next((found for wait in waits if (found := wait()) is not None and found <= LONGEST), None)


def _place(
    place: str, headers: Mapping[str, str], texts: Sequence[str], now: float, zone: str | None
) -> Callable[[], float | None]:
    kind, _, name = place.partition(":")
    if kind == "text":
        return lambda: _said(texts, now, zone)
    if kind == "header":
        return lambda: moment.moment(headers.get(name, ""), now, zone)
    return lambda: _field(next((text for text in texts if text.startswith(f'"{name}":')), ""), now, zone)


def _milliseconds(text: str | None) -> float | None:
    value = moment.number(text or "")
    return None if value is None else _ceil(value)


def _ceil(value: float) -> float:
    return ceil(value) if value < 1e300 else value


def _retry_after(text: str | None, now: float) -> float | None:
    if not text:
        return None
    value = moment.number(text)
    if value is not None and value < 1e9:
        return ceil(value * 1000)
    return moment.moment(text, now)


def _limits(headers: Mapping[str, str], now: float) -> float | None:
    waits: list[float] = []
    for name, value in headers.items():
        found: float | None = None
        if name.startswith("x-codex-") and name.endswith("-used-percent") and (moment.number(value) or 0) >= 100:
            found = moment.moment(headers.get(name.replace("used-percent", "reset-after-seconds", 1), ""), now)
        elif "ratelimit" in name:
            # The draft of the IETF: `"default";r=0;t=50`.
            if field := re.search(r"\br=0\b.*?\bt=([0-9]{1,9})", value, re.ASCII):
                found = int(field[1]) * 1000
            elif reset := _reset_of(name, value):
                found = moment.moment(headers.get(reset, ""), now)
        if found is not None:
            waits.append(found)
    return max(waits) if waits else None


def _reset_of(name: str, value: str) -> str | None:
    if "remaining" in name and moment.number(value) == 0:
        return name.replace("remaining", "reset", 1)
    if name.endswith("-status") and value.strip() == "rejected":
        return f"{name.removesuffix('status')}reset"
    return None


_ANNOUNCED = (
    "(?:try(?:ing)? again|come back|retry(?:ing)?|resets?|reset_time|refresh(?:es|ed)?|renews?|available(?: again)?"
    "|access|wait(?: for)?|重置|恢复|刷新|重试|等待)"
)
_NEARLY = "(?: in| after| at least| for)?[ :\uff1a]*(?:about |approximately |around |~ ?|约 ?)?"
_UNIT = "(milliseconds?|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|秒钟?|分钟|个?小时|天|周|个?星期)"
_COUNTED = f"(?:[0-9]{{1,9}}(?:\\.[0-9]{{1,12}})?|an?|one) ?{_UNIT}"
_CLOCK_TIME = "[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]{1,9})?)?"
_ZONE = "(?:Z\\b|(?:UTC|GMT)(?:[+-][0-9]{1,2}(?::?[0-9]{2})?)?|[+-][0-9]{2}:?[0-9]{2}|北京时间)"
_DAY = (
    "([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日)(?:[T ]|,? at )? ?"
    f"({_CLOCK_TIME}) ?\\(?({_ZONE})?"
)


def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.ASCII)


_SPAN = _compiled(f"{_ANNOUNCED}{_NEARLY}((?:[0-9]{{1,9}}(?:\\.[0-9]{{1,12}})?(?:ms|[smhdw])\\s?){{1,6}})(?!\\w)")
_WORDS = _compiled(f"{_ANNOUNCED}{_NEARLY}((?:{_COUNTED}(?:,? (?:and )?)?){{1,6}})")
_LATER = re.compile(r"((?:[0-9]{1,9}(?:\.[0-9]{1,12})? ?(?:秒|分钟|个?小时|天|周|个?星期)[ 零]?){1,6})钟?[之以]?后")
_DELAY = re.compile(r'"?retryDelay"?\s{0,4}:\s{0,4}"?([0-9]{1,9}(?:\.[0-9]{1,12})?s)"?', re.ASCII)
_NAME = (
    "(?:next_?|quota_?|limit_?|window_?|usage_?)?"
    "(?:resets?_?(?:at|in|on|after|timestamp|time|date|delay|seconds|ms)(?:_?seconds)?"
    "|retry_?(?:after|in|at|delay)(?:_?(?:seconds|secs|ms))?"
    "|(?:cooldown|wait)_?(?:seconds|secs|ms)|(?:next_?)?available_?at|estimated_time)"
)
_FIELD = _compiled(f'"({_NAME})"\\s{{0,4}}:\\s{{0,4}}"?([^",}}\\n]{{1,60}})')
_DATE = _compiled(f'{_ANNOUNCED}[^"\\n]{{0,40}}?{_DAY}')
_DATE_LATER = re.compile(f'{_DAY}\\)?[^"\\n。]{{0,12}}(?:重置|恢复|刷新|解除|后可)', re.ASCII)
_MONTH = _compiled(
    f'{_ANNOUNCED}[^"\\n]{{0,40}}?((?:[0-9]{{1,2}} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{{0,6}}'
    f'\\.? [^"\\n]{{0,30}}?[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?(?: ?[AP]M)?) ?({_ZONE})?'
)
_CLOCK = _compiled(
    f"{_ANNOUNCED}(?: at)? \\(?(?:([0-9]{{1,2}})(?::([0-9]{{2}}))?(?::[0-9]{{2}})? ?([AP]M)?|(midnight))"
    " ?\\(?((?:UTC|GMT)(?:[+-][0-9]{1,2})?\\b|[A-Z][a-z]{1,20}/[A-Z][A-Za-z_]{1,30}(?:[+-][0-9]{1,2})?)"
)
_EPOCH = _compiled(f"(?:{_ANNOUNCED}[^0-9\\n]{{0,20}}|limit reached\\|)([0-9]{{13}}|[0-9]{{10}})(?![0-9])")


def _said(texts: Iterable[str], now: float, zone: str | None) -> float | None:
    for text in texts:
        found = next((wait for wait in _waits(text, now, zone) if wait), None)
        if found:
            return found
    return None


def _waits(text: str, now: float, zone: str | None) -> Iterable[float | None]:
    if short := _DELAY.search(text) or _SPAN.search(text):
        yield moment.span(short[1].replace(" ", ""))
    if words := _WORDS.search(text) or _LATER.search(text):
        yield _counted(words[1])
    yield _field(text, now, zone)
    yield _day(_DATE.search(text) or _DATE_LATER.search(text), now, zone)
    yield _month(_MONTH.search(text), now, zone)
    yield _clock(_CLOCK.search(text), now)
    if epoch := _EPOCH.search(text):
        yield moment.moment(epoch[1], now)


_PIECE = _compiled(f"([0-9]+(?:\\.[0-9]+)?|an?|one) ?{_UNIT}")


def _counted(text: str) -> float:
    pieces = ((moment.number(count) or 1, unit.lower()) for count, unit in _PIECE.findall(text))
    return ceil(sum(count * moment.unit(unit) for count, unit in pieces))


def _field(text: str, now: float, zone: str | None) -> float | None:
    found = _FIELD.search(text)
    if not found:
        return None
    count = moment.number(found[2])
    if count is not None and found[1].lower().endswith("ms"):
        return _ceil(count) or None
    return moment.moment(found[2].strip(), now, zone)


def _day(found: re.Match[str] | None, now: float, zone: str | None) -> float | None:
    if not found:
        return None
    where = zone if found[3] is None else found[3]
    return None if where is None else moment.date(f"{found[1]}T{found[2]}", now, where)


def _month(found: re.Match[str] | None, now: float, zone: str | None) -> float | None:
    if not found:
        return None
    where = zone if found[2] is None else found[2]
    return None if where is None else moment.letters(found[1], now, where)


def _clock(found: re.Match[str] | None, now: float) -> float | None:
    if not found:
        return None
    hour, minute, half, midnight, zone = found.groups()
    hours = 0 if midnight else moment.hours(int(hour), half)
    if hours is None or int(minute or 0) > 59:
        return None
    if not midnight and minute is None and half is None:
        return None
    east = moment.zone(zone, now)
    if east is None:
        return None
    there = now + east
    today = floor(there / _DAY_LENGTH) * _DAY_LENGTH + (hours * 60 + int(minute or 0)) * 60_000
    return today - there if today > there else today + _DAY_LENGTH - there
