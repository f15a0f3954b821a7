"""A run as a list of lines, for the screen: who was asked when, what went wrong, who answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from opencode_patcher.drill.fakes.exchange import Exchange, Sent
from opencode_patcher.drill.fakes.faults import Broken, ChunkKind, describe
from opencode_patcher.drill.verdict.observation import Event, Observation, error_message

OPENCODE = "opencode"
"""Replaces a provider's id where OpenCode itself did something."""

SHOWN_TEXT = 60
"""How many characters of a text a line shows."""


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """What happened at one moment.

    ``at_ms`` counts from the first request of the conversation; None where it is unknown (a refused connection leaves
    no trace at a provider). ``who`` is a provider's id or OPENCODE.
    """

    at_ms: float | None
    who: str
    text: str


def timeline(observation: Observation) -> tuple[TimelineEntry, ...]:
    """The lines of a run, in order of time. Requests for titles and summaries are left out."""
    exchanges = observation.turn_exchanges
    start = min((exchange.arrived for exchange in exchanges), default=observation.started)
    moments = [moment for exchange in exchanges for moment in _exchange(exchange)]
    moments += _takeovers(exchanges)
    moments += [moment for event in observation.events for moment in _event(event)]
    moments.sort(key=lambda moment: moment.at)
    refusing = [
        TimelineEntry(at_ms=None, who=provider.id, text="refuses connections")
        for provider in observation.scenario.providers
        if not provider.listening
    ]
    return (
        *refusing,
        *(TimelineEntry(at_ms=(moment.at - start) * 1000, who=moment.who, text=moment.text) for moment in moments),
    )


def text_lines(lines: tuple[TimelineEntry, ...]) -> tuple[str, ...]:
    """The lines as aligned text: time, who, what."""
    width = max((len(line.who) for line in lines), default=0)
    return tuple(
        f"{'' if line.at_ms is None else f'{line.at_ms:.0f} ms':>9}  {line.who:<{width}}  {line.text}" for line in lines
    )


@dataclass(frozen=True, kw_only=True)
class _Moment:
    at: float
    who: str
    text: str


def _exchange(exchange: Exchange) -> Iterator[_Moment]:
    who = exchange.provider
    if exchange.status not in {None, 200} and exchange.finished is not None:
        reason = "; ".join(exchange.violations) or _message(exchange)
        yield _Moment(at=exchange.finished, who=who, text=f"answers {exchange.status}: {reason}")
        return
    for kind, group in groupby(exchange.sent, key=lambda sent: sent.kind):
        yield from _sent(who, kind, list(group))
    if isinstance(exchange.fault, Broken) and exchange.finished is not None:
        yield _Moment(at=exchange.finished, who=who, text=describe(exchange.fault))


def _message(exchange: Exchange) -> str:
    return getattr(exchange.fault, "message", "") or "no reason given"


def _sent(who: str, kind: ChunkKind, sent: list[Sent]) -> Iterator[_Moment]:
    first, last = sent[0], sent[-1]
    words = "".join(one.text for one in sent)
    match kind:
        case ChunkKind.TEXT | ChunkKind.REASONING:
            yield _Moment(at=first.at, who=who, text=f"streams {kind.value} “{_shortened(words)}”")
        case ChunkKind.TOOL_READY:
            yield _Moment(at=last.at, who=who, text=f"calls the tool {first.text}")
        case ChunkKind.FINISH:
            yield _Moment(at=last.at, who=who, text="completes its answer")
        case ChunkKind.START | ChunkKind.TOOL_INPUT | ChunkKind.ERROR | ChunkKind.DONE:
            return


def _takeovers(exchanges: tuple[Exchange, ...]) -> list[_Moment]:
    """The requests; after a failure, with the time since then."""
    found: list[_Moment] = []
    before: Exchange | None = None
    for exchange in exchanges:
        text = "is asked"
        if before and before.failed and before.finished is not None:
            again = " again" if before.provider == exchange.provider else ""
            text = f"is asked{again}, {(exchange.arrived - before.finished) * 1000:.0f} ms after the failure"
        found.append(_Moment(at=exchange.arrived, who=exchange.provider, text=text))
        before = exchange
    return found


def _event(event: Event) -> Iterator[_Moment]:
    part = event.data.get("part")
    match event.kind:
        case "tool_use" if isinstance(part, dict):
            state = part.get("state")
            status = state.get("status") if isinstance(state, dict) else ""
            yield _Moment(at=event.at, who=OPENCODE, text=f"has run the tool {part.get('tool')}: {status}")
        case "text" if isinstance(part, dict):
            text = _shortened(str(part.get("text", "")))
            yield _Moment(at=event.at, who=OPENCODE, text=f"shows “{text}”")
        case "error":
            text = _shortened(error_message(event.data.get("error")))
            yield _Moment(at=event.at, who=OPENCODE, text=f"reports: {text}")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_TEXT else line[: SHOWN_TEXT - 1] + "…"
