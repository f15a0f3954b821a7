"""What was observed in one run: requests, events on stdout, and the stored session. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.exchange import Exchange
from opencode_patcher.drill.fakes.wire import Object, as_object, read
from opencode_patcher.drill.scenarios.scenario import Scenario, Through


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A binary being drilled. ``model`` is the combined model (``combined/<id>``); None for a stock binary."""

    binary: Path
    version: str
    model: str | None

    @property
    def patched(self) -> bool:
        return self.model is not None


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of ``run --format json``; ``at`` is in seconds on ``time.monotonic``'s clock."""

    at: float
    kind: str
    data: Object


@dataclass(frozen=True, kw_only=True)
class StoredPart:
    """A part of a stored message. ``status`` is a tool's. Kinds that cannot be unfinished count as ``closed``."""

    kind: str
    text: str = ""
    call: str = ""
    status: str = ""
    closed: bool = True


@dataclass(frozen=True, kw_only=True)
class StoredMessage:
    """An assistant message as OpenCode stored it; ``cost`` in dollars, ``error`` is empty when there is none,
    ``finish`` is the reason why the model stopped, empty when none is stored.
    """

    provider: str
    model: str
    cost: float
    error: str
    completed: bool
    parts: tuple[StoredPart, ...]
    summary: bool = False
    finish: str = ""

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if part.kind == "text")

    @property
    def tools(self) -> tuple[StoredPart, ...]:
        return tuple(part for part in self.parts if part.kind == "tool")


@dataclass(frozen=True, kw_only=True)
class Session:
    """A stored session: its title and its assistant messages, in order; ``asked`` counts the user's messages.

    ``cost`` is the session's own total, in dollars; None when it has none.
    """

    title: str
    messages: tuple[StoredMessage, ...]
    asked: int = 0
    cost: float | None = None

    @property
    def answers(self) -> tuple[StoredMessage, ...]:
        """The messages without the summaries from compactions."""
        return tuple(message for message in self.messages if not message.summary)

    @property
    def summaries(self) -> tuple[StoredMessage, ...]:
        return tuple(message for message in self.messages if message.summary)


_SILENT = frozenset({Through.ACP, Through.SECOND_API, Through.OPENCODE_2})
"""The ways to run a scenario in which nothing is printed."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One run of a scenario.

    ``exchanges`` are those of all providers, by arrival; ``session`` is None when none was stored;
    ``effects`` counts the lines that tools left. ``code`` is the exit code, None when the run was ended after
    ``limit`` seconds. ``started`` and ``cancelled`` (when the user did) are on ``time.monotonic``'s clock.
    ``events`` are what ``run`` printed, or would have printed of the events of a server. ``others`` are the sessions
    of subagents and of other processes. ``screen`` is the text that a client of the server's events shows in the end,
    or an editor that opens the session again; None for ``run``, which prints and takes nothing back. ``updates`` are
    what an editor was sent while it happened, None without one.
    """

    scenario: Scenario
    subject: Subject
    exchanges: tuple[Exchange, ...]
    events: tuple[Event, ...]
    session: Session | None
    effects: int
    code: int | None
    limit: float
    started: float
    seconds: float
    stderr: str
    others: tuple[Session, ...] = ()
    screen: str | None = None
    cancelled: float | None = None
    updates: tuple[Object, ...] | None = None

    @property
    def answer_seconds(self) -> float:
        """From the first request of the conversation to the last observed event, without the program's start."""
        asked = [exchange.arrived for exchange in self.turn_exchanges]
        ends = [exchange.finished for exchange in self.turn_exchanges if exchange.finished is not None]
        ends += [event.at for event in self.events]
        return max(ends) - min(asked) if asked and ends else 0.0

    @property
    def sessions(self) -> tuple[Session, ...]:
        return (*((self.session,) if self.session else ()), *self.others)

    @property
    def turn_exchanges(self) -> tuple[Exchange, ...]:
        """The requests of the conversation itself, without titles and summaries."""
        return tuple(exchange for exchange in self.exchanges if exchange.purpose is Purpose.TURN)

    @property
    def through(self) -> Through:
        """The command that the scenario was run through."""
        if self.scenario.through in {Through.SECOND_API, Through.OPENCODE_2}:
            return self.scenario.through
        if self.updates is not None:
            return Through.ACP
        return Through.RUN if self.screen is None else Through.SERVE

    @property
    def shown_text(self) -> str:
        """The text that the user finally sees: on the screen, or printed."""
        return self.screen if self.screen is not None else self.printed_text or ""

    @property
    def printed_text(self) -> str | None:
        """The text that ``run`` printed, or would have printed; None for an editor and the second API, which print
        nothing.
        """
        if self.through in _SILENT:
            return None
        return "".join(str(as_object(event.data.get("part")).get("text", "")) for event in self.of_kind("text"))

    @property
    def printed_cost(self) -> float | None:
        """The total cost of the steps that ``run`` printed, in dollars; None if nothing prints them."""
        if self.through in _SILENT:
            return None
        parts = (as_object(event.data.get("part")) for event in self.of_kind("step_finish"))
        return sum(_number(part.get("cost")) or 0.0 for part in parts)

    @property
    def errors(self) -> tuple[str, ...]:
        """The messages of the errors that ``run`` printed."""
        return tuple(error_message(event.data.get("error")) for event in self.of_kind("error"))

    def of_kind(self, kind: str) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.kind == kind)


def parse_event(line: str, at: float) -> Event | None:
    """One line of stdout; None when it is not a JSON object with a ``type``."""
    data = as_object(read(line))
    kind = data.get("type")
    return Event(at=at, kind=kind, data=data) if isinstance(kind, str) else None


def parse_export(text: str) -> Session | None:
    """The output of ``opencode export``; None when it is not a session."""
    data = read(text)
    return session(as_object(data.get("info")), data.get("messages")) if isinstance(data, dict) else None


def session(info: Object, stored: object) -> Session:
    """A session from the data of the server or an export."""
    messages = [as_object(message) for message in _list(stored)]
    roles = [as_object(message.get("info")).get("role") for message in messages]
    return Session(
        title=str(info.get("title", "")),
        messages=tuple(_message(message) for message, role in zip(messages, roles, strict=True) if role == "assistant"),
        asked=roles.count("user"),
        cost=_number(info.get("cost")),
    )


def error_message(error: object) -> str:
    """The text of an error as OpenCode stores and prints it: ``{"name": …, "data": {"message": …}}``."""
    found = as_object(error)
    message = as_object(found.get("data")).get("message", found.get("message"))
    return str(message if message else found.get("name", "")) if found else ""


def _message(message: Object) -> StoredMessage:
    info = as_object(message.get("info"))
    return StoredMessage(
        provider=str(info.get("providerID", "")),
        model=str(info.get("modelID", "")),
        cost=_number(info.get("cost")) or 0.0,
        error=error_message(info.get("error")),
        completed="completed" in as_object(info.get("time")),
        parts=tuple(_part(as_object(part)) for part in _list(message.get("parts"))),
        summary=info.get("summary") is True,
        finish=str(info.get("finish") or ""),
    )


def _part(part: Object) -> StoredPart:
    kind = str(part.get("type", ""))
    state = as_object(part.get("state"))
    status = str(state.get("status", ""))
    closed = True
    if kind in {"text", "reasoning"}:
        closed = "end" in as_object(part.get("time"))
    elif kind == "tool":
        closed = status in {"completed", "error"}
    return StoredPart(
        kind=kind,
        text=str(part.get("text", "")),
        call=str(part.get("callID", "")),
        status=status,
        closed=closed,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
