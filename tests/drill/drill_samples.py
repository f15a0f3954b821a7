"""Observations made by hand, to judge and to draw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.exchange import Exchange, Sent
from opencode_patcher.drill.fakes.faults import At, Broken, ChunkKind, Fault, How, HttpError
from opencode_patcher.drill.fakes.plan import TITLE
from opencode_patcher.drill.fakes.usage import USAGE
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, ERRAND, GREETING
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario
from opencode_patcher.drill.verdict.observation import Event, Observation, Session, StoredMessage, StoredPart, Subject

UNAVAILABLE = HttpError(status=503, message="Overloaded")
CUT = Broken(at=At.CONTENT, how=How.RESET)
HELLO = GREETING.replies[0].text("beta")

GREETED = Scenario(
    name="503",
    title="503 overloaded",
    providers=(replace(ALPHA, faults=(UNAVAILABLE,)), BETA),
    turns=(GREETING,),
    expected=Expectation(served_by=("beta",), requests={"alpha": 1, "beta": 1}),
)

TOOLED = Scenario(
    name="cut-after-tool",
    title="cut after a tool call",
    providers=(replace(ALPHA, faults=(CUT,)), BETA),
    turns=(ERRAND,),
    expected=Expectation(served_by=("alpha", "beta"), requests={"alpha": 1, "beta": 1}),
)


def exchange(
    provider: str,
    arrived: float,
    finished: float,
    *,
    status: int = 200,
    fault: Fault | None = None,
    text: str = "",
    tool: str = "",
    complete: bool = True,
) -> Exchange:
    kinds = [(ChunkKind.START, "")] if status == 200 else []
    kinds += [(ChunkKind.TEXT, text)] if text else []
    kinds += [(ChunkKind.TOOL_READY, tool)] if tool else []
    kinds += [(ChunkKind.FINISH, "")] if complete and status == 200 else []
    return Exchange(
        provider=provider,
        purpose=Purpose.TURN,
        arrived=arrived,
        body={},
        fault=fault,
        status=status,
        sent=tuple(Sent(at=arrived + 0.001, kind=kind, text=word) for kind, word in kinds),
        finished=finished,
    )


def event(at: float, kind: str, **data: object) -> Event:
    return Event(at=at, kind=kind, data=data)


def shown(at: float, text: str) -> Event:
    return event(at, "text", part={"type": "text", "text": text})


def message(provider: str, *parts: StoredPart, cost: float | None = None) -> StoredMessage:
    member = {"alpha": ALPHA, "beta": BETA}[provider]
    return StoredMessage(
        provider=provider,
        model=member.model,
        cost=member.price.cost(USAGE) if cost is None else cost,
        error="",
        completed=True,
        finish="tool-calls" if any(part.kind == "tool" for part in parts) else "stop",
        parts=parts,
    )


def text(words: str, *, closed: bool = True) -> StoredPart:
    return StoredPart(kind="text", text=words, closed=closed)


def tool(call: str, status: str = "completed") -> StoredPart:
    return StoredPart(kind="tool", call=call, status=status, closed=status in {"completed", "error"})


def session(*messages: StoredMessage) -> Session:
    return Session(title=TITLE.text(""), messages=messages)


def greeted() -> Observation:
    """``alpha`` answered 503, ``beta`` was asked 40 ms later and served."""
    return Observation(
        scenario=GREETED,
        subject=Subject(binary=Path("opencode"), version="1.18.3", model="combined/claude-sonnet-4.5"),
        exchanges=(
            exchange("alpha", 10.0, 10.01, status=503, fault=UNAVAILABLE),
            exchange("beta", 10.05, 10.06, text=HELLO),
        ),
        events=(shown(10.07, HELLO),),
        session=session(message("beta", text(HELLO))),
        effects=0,
        code=0,
        limit=30,
        started=8.0,
        seconds=3.0,
        stderr="",
    )


def tooled() -> Observation:
    """``alpha`` called a tool and was cut, ``beta`` carried on."""
    first, second = ERRAND.replies[0].text("alpha"), ERRAND.replies[1].text("beta")
    return replace(
        greeted(),
        scenario=TOOLED,
        exchanges=(
            exchange("alpha", 10.0, 11.5, fault=CUT, text=first, tool="bash", complete=False),
            exchange("beta", 11.6, 11.61, text=second),
        ),
        events=(
            event(10.2, "tool_use", part={"type": "tool", "tool": "bash", "state": {"status": "completed"}}),
            shown(11.55, first),
            shown(11.65, second),
        ),
        session=session(
            message("alpha", text(first), tool("call_append-alpha0"), cost=0.0),
            message("beta", text(second)),
        ),
        effects=1,
    )
