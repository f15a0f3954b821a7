"""What a patched OpenCode says about the user's combined models: the JSON of ``opencode combined --json``.

It is made by ``templates/combined/view/report.ts``. Fields that are not named here are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from opencode_patcher.base import documents

FORMAT = documents.Format(1)


@dataclass(frozen=True, kw_only=True)
class Price:
    """Dollars for a million tokens."""

    input: float = 0
    output: float = 0
    cache_read: float = 0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Tokens."""

    context: float = 0
    output: float = 0


@dataclass(frozen=True, kw_only=True)
class Out:
    """Why a member is not asked now, and until when."""

    kind: str
    message: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Member:
    """``terms`` says what is special about the offer; it is asked only after one of the failures in ``when``.

    ``price_class`` is plan, metered or free. ``wish`` is what the user wants of it on this machine: pinned, skipped, or
    that another is pinned.
    """

    provider: str
    model: str
    name: str = ""
    provider_name: str = ""
    terms: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    price_class: str = ""
    price: Price = field(default_factory=Price)
    limit: Limit = field(default_factory=Limit)
    wish: str = ""
    out: dict[str, object] | None = None

    @property
    def key(self) -> str:
        return f"{self.provider}/{self.model}"

    @property
    def avoided(self) -> Out | None:
        """``out``, if it can be read."""
        found = self.out or {}
        kind, message, until = found.get("class"), found.get("message"), found.get("until")
        if not isinstance(kind, str) or not isinstance(message, str) or not isinstance(until, str):
            return None
        try:
            moment = datetime.fromisoformat(until)
        except ValueError:
            return None
        return Out(kind=kind, message=message, until=moment) if moment.tzinfo else None

    @property
    def is_free(self) -> bool:
        return "free" in self.terms


@dataclass(frozen=True, kw_only=True)
class Model:
    """A combined model. ``own`` ones are the user's own groups."""

    id: str
    name: str
    members: tuple[Member, ...]
    own: bool = False

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(member.provider for member in self.members))


@dataclass(frozen=True, kw_only=True)
class Provider:
    """``login`` is oauth, key, environment (with the ``variable``), configuration, free or plugin."""

    id: str
    login: str
    models: int
    name: str = ""
    variable: str = ""

    @property
    def shown(self) -> str:
        """How it is connected, in words."""
        words = {
            "oauth": "logged in",
            "key": "key from opencode auth login",
            "environment": f"environment variable {self.variable}",
            "configuration": "opencode.json",
            "free": "without a key",
            "plugin": "no key needed, or from a plugin",
        }
        return words.get(self.login, self.login)


@dataclass(frozen=True, kw_only=True)
class UnusedLogin:
    """A login that OpenCode does not use."""

    id: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A setting that does nothing. ``source`` is the file or variable, if it is known."""

    text: str
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Which ``source`` decides about a setting. ``value`` is only there for the chosen models."""

    key: str
    source: str | None = None
    value: str | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that OpenCode sees in one directory."""

    format: int
    opencode: str
    directory: str
    models: tuple[Model, ...]
    providers: tuple[Provider, ...]
    build: str = ""
    off: str = ""
    alone: tuple[Model, ...] = ()
    unused_logins: tuple[UnusedLogin, ...] = ()
    left_out: tuple[str, ...] = ()
    unpromised: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    settings: tuple[Setting, ...] = ()
    sources: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()

    def setting(self, key: str) -> Setting | None:
        return next((one for one in self.settings if one.key == key), None)


def parse(text: str) -> Report:
    """Raises DocumentError."""
    return documents.parse(text, Report, format=FORMAT)
