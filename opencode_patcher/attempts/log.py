"""Reading the log that ``templates/.../combined/request/log.ts`` writes: one JSON object a line, two files at most."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

from opencode_patcher.base.errors import UsageError
from opencode_patcher.configuration import places

NAME = "combined-attempts.jsonl"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One request to a member. ``cost`` is in dollars, ``first_token`` in milliseconds from ``start``.

    ``variant`` is the one that was asked for, ``own_variant`` what the member was asked for instead; None where it has
    nothing like it.
    """

    start: datetime
    end: datetime
    session: str
    purpose: str
    combined: str
    provider: str
    model: str
    variant: str | None
    own_variant: str | None
    phase: str
    action: str
    failure: str | None
    reason: str | None
    next: str | None
    first_token: float | None
    tokens_in: int
    tokens_out: int
    cost: float


@dataclass(frozen=True, kw_only=True)
class Log:
    """What could be read, the oldest first, and how many lines could not."""

    attempts: tuple[Attempt, ...]
    unreadable: int


def standard_path(environment: Mapping[str, str]) -> Path:
    """The log in OpenCode's data directory. Raises UsageError when that is not known."""
    directory = places.data_directory(environment)
    if directory is None:
        raise UsageError(
            "It is not known where the log is.",
            why="Neither HOME nor XDG_DATA_HOME is set.",
            next_step="Name it: opencode-patcher attempts --file FILE",
        )
    return directory / NAME


def read(path: Path, *, since: datetime | None = None) -> Log:
    """The attempts in ``path`` and in the file before it, from ``since`` on. A file that is not there is empty.

    Raises:
        UsageError: a file is there and cannot be read.
    """
    lines = [line for file in (path.with_name(f"{path.name}.1"), path) for line in _lines(file)]
    parsed = [_attempt(line) for line in lines]
    found = [attempt for attempt in parsed if attempt and (since is None or attempt.end >= since)]
    found.sort(key=lambda attempt: attempt.start)
    return Log(attempts=tuple(found), unreadable=parsed.count(None))


def _lines(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"The log {path} cannot be read.",
            why=f"Cause: {os.strerror(error.errno) if error.errno else error}",
            next_step="Name another one: opencode-patcher attempts --file FILE",
        ) from error
    # Other marks that Python takes for the end of a line (U+0085, U+2028) may stand in what a provider said.
    yield from (line for line in text.split("\n") if line.strip())


def _attempt(line: str) -> Attempt | None:
    """One line as an attempt; None if it is damaged, as by a full disk, or of a kind that is not known here."""
    try:
        item = json.loads(line)
        tokens = item["tokens"]
        first_token = item.get("first_token")
        variant = _optional(item.get("variant"))
        return Attempt(
            start=_moment(item["start"]),
            end=_moment(item["end"]),
            session=_text(item["session"]),
            purpose=_text(item["purpose"]),
            combined=_text(item["combined"]),
            provider=_text(item["provider"]),
            model=_text(item["model"]),
            phase=_text(item["phase"]),
            action=_text(item["action"]),
            variant=variant,
            own_variant=_optional(item["own_variant"]) if "own_variant" in item else variant,
            failure=_optional(item.get("failure")),
            reason=_optional(item.get("reason")),
            next=_optional(item.get("next")),
            first_token=None if first_token is None else _number(first_token),
            tokens_in=int(tokens["input"]) + int(tokens["cache_read"]),
            tokens_out=int(tokens["output"]),
            cost=_number(item["cost"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is not a string")
    return value


def _number(value: float | str) -> float:
    """A number that JSON can say too. Raises ValueError for any other."""
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"{number} is no number")
    return number


def _moment(text: str) -> datetime:
    """Raises OverflowError for a year in which no OpenCode ran: not every zone has a time in the first and the last."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not 2000 < moment.year < 9999:
        raise OverflowError(f"{text} cannot be")
    return moment
