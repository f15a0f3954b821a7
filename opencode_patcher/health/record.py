"""Reading the health file that ``templates/combined/health/`` writes. Times are milliseconds since the epoch there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from opencode_patcher.base import documents
from opencode_patcher.base.errors import UsageError
from opencode_patcher.configuration import places

NAME = "combined-health.json"

FORMAT = documents.Format(1, "version")

LARGEST = 4_000_000
"""Bytes. OpenCode ignores a larger file too (``templates/host/health-file.ts``)."""


@dataclass(frozen=True, kw_only=True)
class Cooldown:
    """A failed member, or a provider with all its models if ``model`` is None. ``failures`` counts those in a row."""

    provider: str
    model: str | None
    kind: str
    message: str
    since: datetime
    until: datetime
    failures: int

    @property
    def name(self) -> str:
        return self.provider if self.model is None else f"{self.provider}/{self.model}"


@dataclass(frozen=True, kw_only=True)
class Window:
    """How much of a plan is used, from 0 to 1, as the provider's last answer said (``at``)."""

    provider: str
    name: str
    used: float
    at: datetime
    ends: datetime


@dataclass(frozen=True, kw_only=True)
class Steer:
    """What the user wants in all sessions on this machine: the only member that is asked, by combined model, and the
    members that are not asked. A member is ``provider/model``, or a provider for all of its models.
    """

    pins: Mapping[str, str] = field(default_factory=dict)
    skips: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pins or self.skips)


@dataclass(frozen=True, kw_only=True)
class Health:
    """What counts at ``now``: cooldowns that end first come first, windows in the order of their providers."""

    now: datetime
    cooldowns: tuple[Cooldown, ...]
    windows: tuple[Window, ...]
    steer: Steer = field(default_factory=Steer)


@dataclass(frozen=True, kw_only=True)
class _Member:
    since: float
    until: float
    kind: str
    message: str
    failures: int


@dataclass(frozen=True, kw_only=True)
class Document:
    """The file as it is. ``members`` has a record for each key, ``accounts`` the windows of plans, ``steer`` what the
    user wants (``templates/combined/choice/steer.ts``).
    """

    version: int
    members: Mapping[str, object]
    accounts: Mapping[str, object] = field(default_factory=dict)
    steer: Mapping[str, object] = field(default_factory=dict)


def standard_path(environment: Mapping[str, str]) -> Path:
    """The file in OpenCode's state directory. Raises UsageError when that is not known."""
    directory = places.state_directory(environment)
    if directory is None:
        raise UsageError(
            "The health file's location is unknown.",
            why="Neither HOME nor XDG_STATE_HOME is set.",
            next_step="Name it: opencode-patcher health --file FILE",
        )
    return directory / NAME


def read(path: Path, now: datetime) -> Health:
    """What the file says at ``now``; nothing if it is missing.

    Raises UsageError when an existing file cannot be read.
    """
    return health(load(path), now)


def health(document: Document, now: datetime) -> Health:
    """What the document says at ``now``. Records that OpenCode would ignore are left out."""
    cooldowns = all_cooldowns(document)
    windows = [item for key, value in document.accounts.items() for item in _windows(key, value)]
    return Health(
        now=now,
        cooldowns=tuple(
            sorted(
                (item for item in cooldowns if item.failures and item.since <= now < item.until),
                key=lambda item: (item.until, item.name),
            )
        ),
        windows=tuple(
            sorted((item for item in windows if item.ends > now), key=lambda item: (item.provider, item.ends))
        ),
        steer=steer(document),
    )


def all_cooldowns(document: Document) -> tuple[Cooldown, ...]:
    """Every record that can be read, including those of members that have recovered."""
    found = (_cooldown(key, value) for key, value in document.members.items())
    return tuple(item for item in found if item is not None)


def steer(document: Document) -> Steer:
    """Whatever is not as expected is left out, as OpenCode does it."""
    pins, skips = document.steer.get("pins"), document.steer.get("skips")
    return Steer(
        pins={key: value for key, value in pins.items() if isinstance(value, str)} if isinstance(pins, dict) else {},
        skips=tuple(item for item in skips if isinstance(item, str)) if isinstance(skips, list) else (),
    )


def load(path: Path) -> Document:
    """The document; an empty one where there is none that OpenCode would use. Raises UsageError."""
    try:
        return documents.read(path, Document, format=FORMAT, limit=LARGEST)
    except documents.MissingError:
        return Document(version=FORMAT.number, members={})
    except documents.DocumentError as error:
        first = "Update opencode-patcher, or delete" if isinstance(error, documents.NewerError) else "Delete"
        raise UsageError(
            f"The health file {path} cannot be read.",
            why=f"{error}",
            next_step=f"{first} the file: all cooldowns end then.",
        ) from error


def _cooldown(key: str, value: object) -> Cooldown | None:
    provider, slash, model = key.partition("/")
    try:
        found = documents.shaped(value, _Member)
        since, until = moment(found.since), moment(found.until)
    except (documents.DocumentError, ValueError, OverflowError, OSError):
        return None
    if not slash:
        return None
    return Cooldown(
        provider=provider,
        model=model or None,
        kind=found.kind,
        message=found.message,
        since=since,
        until=until,
        failures=found.failures,
    )


def _windows(key: str, value: object) -> list[Window]:
    """The windows of one account; its key is the provider, a fingerprint, and the model if it is about one only."""
    found: list[Window] = []
    if not isinstance(value, dict) or not isinstance(value.get("windows"), list):
        return found
    for item in value["windows"]:
        try:
            used, ends, name = item["usedShare"], moment(item["endsAt"]), item["name"]
            at = moment(value["at"])
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            continue
        if isinstance(used, (int, float)) and isinstance(name, str):
            found.append(Window(provider=key.partition("/")[0], name=name, used=float(used), at=at, ends=ends))
    return found


def moment(milliseconds: float) -> datetime:
    """Raises ValueError, OverflowError or OSError for a number that is not a time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
