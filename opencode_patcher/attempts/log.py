"""Reading the log that ``templates/.../combined/host/log.ts`` writes: one JSON object per line, in at most two
files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.base.errors import UsageError
from opencode_patcher.configuration import places

NAME = "combined-attempts.jsonl"

LINE_LIMIT = 1_000_000
"""The longest line, in bytes. OpenCode's have less than a thousand."""

COST_LIMIT = 1e9
"""The most dollars for one request, so that no sum becomes infinite."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One request to a member. ``cost`` is in dollars, ``first_token`` in milliseconds from ``start``.

    ``variant`` is the requested one, ``own_variant`` what the member was asked for instead; None when it has nothing
    like it. ``instead_of`` is the preferred model, if the member has a different one.
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
    instead_of: str | None = None

    def is_of(self, session: str | None) -> bool:
        """Whether the id of its session ends in ``session``; None stands for any."""
        return session is None or self.session.endswith(session)


@dataclass(frozen=True, kw_only=True)
class Log:
    """The readable attempts, oldest first, and the number of unreadable lines."""

    attempts: tuple[Attempt, ...]
    unreadable: int

    def matching(self, *, since: datetime | None = None, session: str | None = None) -> Log:
        """The log without attempts that ended before ``since``, and without those of sessions whose ids end in
        something else.
        """
        return replace(
            self,
            attempts=tuple(
                attempt
                for attempt in self.attempts
                if (since is None or attempt.end >= since) and attempt.is_of(session)
            ),
        )


def standard_path(environment: Mapping[str, str]) -> Path:
    """The log in OpenCode's data directory. Raises UsageError when that is not known."""
    directory = places.data_directory(environment)
    if directory is None:
        raise UsageError(
            "The log's location is unknown.",
            why="Neither HOME nor XDG_DATA_HOME is set.",
            next_step="Name it: opencode-patcher attempts --file FILE",
        )
    return directory / NAME


def read(path: Path) -> Log:
    """The attempts in ``path`` and in the file before it. A missing file counts as empty.

    Raises:
        UsageError: an existing file cannot be read.
    """
    found: list[Attempt] = []
    unreadable = 0
    for file in (path.with_name(f"{path.name}.1"), path):
        for line in _lines(file):
            attempt = _attempt(line) if line else None
            if attempt is None:
                unreadable += 1
            else:
                found.append(attempt)
    found.sort(key=lambda attempt: attempt.start)
    return Log(attempts=tuple(found), unreadable=unreadable)


def follow(path: Path, found: Log, wait: Callable[[], None]) -> Iterator[Attempt]:
    """Yield the attempts that are written to ``path`` after ``found`` (the whole log) was read, in the order in which
    they end. Never stops by itself.

    ``wait`` is called each time before the file is looked at. Raises UsageError as ``read`` does.
    """
    known = set(found.attempts)
    seen = _sizes(path)
    while True:
        wait()
        now = _sizes(path)
        if now == seen:
            continue
        seen = now
        new = [attempt for attempt in read(path).attempts if attempt not in known]
        known.update(new)
        yield from sorted(new, key=lambda attempt: attempt.end)


def _sizes(path: Path) -> tuple[int, int] | None:
    """A value that changes whenever something is added, or the file is replaced by a new one."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file that are not blank; a line longer than ``LINE_LIMIT`` becomes an empty one."""
    try:
        with os.fdopen(files.open_regular(path), "rb") as file:
            while line := file.readline(LINE_LIMIT + 1):
                if len(line) <= LINE_LIMIT:
                    if text := line.strip():
                        yield text
                    continue
                while line and not line.endswith(b"\n"):
                    line = file.readline(LINE_LIMIT)
                yield b""
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise UsageError(
            f"The log {path} cannot be read.",
            why=f"{error.strerror or error}.",
            next_step="Name another one: opencode-patcher attempts --file FILE",
        ) from error


@dataclass(frozen=True, kw_only=True)
class _Tokens:
    input: documents.Int64
    output: documents.Int64
    cache_read: documents.Int64


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A line as it is written. Older versions lack the fields that have a default."""

    start: str
    end: str
    session: str
    purpose: str
    combined: str
    provider: str
    model: str
    phase: str
    action: str
    tokens: _Tokens
    cost: float
    variant: str | None = None
    own_variant: str | documents.Unset | None = documents.UNSET
    failure: str | None = None
    reason: str | None = None
    next: str | None = None
    first_token: float | None = None
    instead_of: str | None = None


def _attempt(line: bytes) -> Attempt | None:
    """One line as an attempt; None if it is damaged, for example by a full disk, or of an unknown kind."""
    try:
        # A provider may send anything.
        said = documents.parse_line(line.decode("utf-8", "replace"), _Line)
        start, end = _moment(said.start), _moment(said.end)
    except (ValueError, OverflowError):
        return None
    if abs(said.cost) > COST_LIMIT:
        return None
    return Attempt(
        start=start,
        end=end,
        session=said.session,
        purpose=said.purpose,
        combined=said.combined,
        provider=said.provider,
        model=said.model,
        variant=said.variant,
        own_variant=said.variant if isinstance(said.own_variant, documents.Unset) else said.own_variant,
        phase=said.phase,
        action=said.action,
        failure=said.failure,
        reason=said.reason,
        next=said.next,
        first_token=said.first_token,
        tokens_in=said.tokens.input + said.tokens.cache_read,
        tokens_out=said.tokens.output,
        cost=said.cost,
        instead_of=said.instead_of,
    )


def _moment(text: str) -> datetime:
    """Raises OverflowError for an impossible year: the first and last years do not exist in every time zone."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not 2000 < moment.year < 9999:
        raise OverflowError(f"{text} cannot be")
    return moment
