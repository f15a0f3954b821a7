"""What a turn costs inside a running server: from a failure to the next request, and a healthy turn beside stock.

    python -m bench.latency --patched PATH [--stock PATH] [--turns N] [--history N] [--json]

One ``opencode serve`` of each binary stays up, and the cases take turns at all of them, so that a machine that slows
down slows everybody. All times are milliseconds on this process's clock: a failure ends when the provider's last byte
is out (or the connection is torn), and a request counts from its arrival at the next provider.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

from bench.memory import resident
from opencode_patcher.base import process
from opencode_patcher.base.errors import PatcherError
from opencode_patcher.drill.drivers.client import Client
from opencode_patcher.drill.drivers.home import Home, configuration, environment, prepare
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer
from opencode_patcher.drill.drivers.opencode_server import serving as opencode
from opencode_patcher.drill.drivers.probe import probe
from opencode_patcher.drill.fakes.exchange import Exchange
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.faults import At, Broken, Fault, How
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.fakes.server import Host
from opencode_patcher.drill.fakes.wire import as_object
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, ERRAND, GREETING, RATE_LIMITED
from opencode_patcher.drill.verdict.observation import Subject

GOALS = {"refused": 25.0, "cut in text": 25.0, "cut after a tool": 60.0}
"""Milliseconds to the next request, median. With a long history, twice as much."""

TURN_SECONDS = 60.0
TOOL_SECONDS = 0.8
"""Long enough for a ``bash`` call that appends a line to finish before the connection is cut."""

COMBINED = {"cooldown": {"max": 1}, "stickiness": 0, "max_attempts": 1}
"""Every turn begins with the first provider, whatever it did in the turn before."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A turn, and how the first provider fails in it; ``long`` in a session with a long history."""

    name: str
    turn: Turn
    fault: Fault | None = None
    long: bool = False

    @property
    def title(self) -> str:
        return f"{self.name}, long history" if self.long else self.name


HEALTHY = Case(name="healthy", turn=GREETING)
CASES = (
    HEALTHY,
    Case(name="healthy with a tool", turn=ERRAND),
    Case(name="refused", turn=GREETING, fault=RATE_LIMITED),
    Case(name="cut in text", turn=GREETING, fault=Broken(at=At.TEXT, how=How.RESET)),
    Case(name="cut after a tool", turn=ERRAND, fault=Broken(at=At.CONTENT, how=How.RESET, pause=TOOL_SECONDS)),
)
LONG = tuple(replace(case, long=True) for case in CASES if case.name in {"healthy", *GOALS})


@dataclass(kw_only=True)
class Runner:
    """A binary whose server is up. ``values`` are the milliseconds of each measured quantity."""

    subject: Subject
    server: OpenCodeServer
    client: Client
    fakes: Sequence[FakeProvider]
    history: str
    values: dict[str, list[float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return "patched" if self.subject.patched else "stock"

    def play(self, case: Case, *, counts: bool) -> None:
        """Play one turn; its times are kept if it ``counts``. Raises PatcherError when it does not end.

        A stock binary plays the turn without the fault, because it would wait after one. This way both histories grow
        alike.
        """
        first, *others = self.fakes
        faults = (case.fault,) if self.subject.patched and case.fault else ()
        first.renew(replace(first.provider, faults=faults), (case.turn,))
        for fake in others:
            fake.renew(fake.provider, (case.turn,))
        session = self.history if case.long else self._session()
        began = time.monotonic()
        self.client.ask(self.server, session, case.turn.prompt)
        if not self.client.wait(session, TURN_SECONDS):
            raise PatcherError(f"A turn of {self.subject.binary} did not end: {case.title}.")
        ended = time.monotonic()
        asked = sorted((one for fake in self.fakes for one in fake.exchanges), key=lambda one: one.arrived)
        for what, value in times(case, asked, began, ended) if counts else ():
            self.values.setdefault(what, []).append(value)

    def _session(self) -> str:
        # A session that has a title asks for none, so that nothing runs beside the turn.
        return str(as_object(self.server.call("POST", "/session", {"title": "Latency"})).get("id"))


def times(case: Case, asked: Sequence[Exchange], began: float, ended: float) -> Iterator[tuple[str, float]]:
    """The milliseconds of one turn by name."""
    if case.fault is None:
        yield f"{case.title}: prompt to request", (asked[0].arrived - began) * 1000
        yield f"{case.title}: request to end of turn", (ended - asked[0].arrived) * 1000
        return
    for before, after in pairwise(asked):
        if before.failed and before.finished is not None and before.provider != after.provider:
            yield f"{case.title}: next request", (after.arrived - before.finished) * 1000


def measure(binaries: Sequence[Path], place: Path, turns: int, history: int) -> list[Runner]:
    """Every case ``turns`` times on every binary, after one round that does not count."""
    with ExitStack() as stack:
        runners = [runner(path, place / str(number), history, stack) for number, path in enumerate(binaries)]
        for one in runners:
            one.values["resident memory after the start, MB"] = [resident(one.subject.binary)]
        for number in range(turns + 1):
            for case in (*CASES, *LONG):
                for one in runners:
                    one.play(case, counts=number > 0 and (one.subject.patched or case.fault is None))
        for one in runners:
            one.values["resident memory at the end, MB"] = [resident(one.subject.binary)]
        return runners


def runner(binary: Path, root: Path, history: int, stack: ExitStack) -> Runner:
    """A server that is up, with a session that has ``history`` messages."""
    subject = probe(binary, root / "probe")
    host = stack.enter_context(Host())
    fakes = [FakeProvider(one, ()) for one in (ALPHA, BETA)]
    for fake in fakes:
        host.add(fake)
    urls = {fake.provider.id: fake.base_url for fake in fakes}
    settings = configuration([fake.provider for fake in fakes], urls, priority=subject.patched, combined=COMBINED)
    home = prepare(root / "home", settings)
    session = long_session(subject, home, history)
    client = Client(subject.model or f"{ALPHA.id}/{ALPHA.model}")
    server = stack.enter_context(opencode(subject.binary, home))
    stack.enter_context(server.following(client.event))
    return Runner(subject=subject, server=server, client=client, fakes=fakes, history=session)


def long_session(subject: Subject, home: Home, count: int) -> str:
    """Import a session with ``count`` messages, half of them answers with a tool call; its id."""
    id = "ses_0000000000ffeLatencyBench"
    info = {
        "id": id,
        "slug": "latency",
        "title": "Latency",
        "version": subject.version,
        "projectID": "",
        "directory": "",
    }
    messages = [message(id, number) for number in range(count)]
    file = home.root / "history.json"
    file.write_text(json.dumps({"info": info | {"time": {"created": 1, "updated": 1}}, "messages": messages}))
    process.run([subject.binary, "import", file], cwd=home.work, env=environment(home))
    return id


def message(session: str, number: int) -> dict[str, object]:
    """Message ``number`` of a history: users and assistants take turns."""
    made = {"id": named("msg", number), "sessionID": session, "time": {"created": number + 1}}
    model = {"providerID": ALPHA.id, "modelID": ALPHA.model}
    where = {"sessionID": session, "messageID": made["id"]}
    text = {
        "id": named("prt", 10 * number),
        "type": "text",
        "text": f"Message {number} says this and that. " * 5,
        **where,
    }
    if number % 2 == 0:
        return {"info": {**made, "role": "user", "agent": "build", "model": model}, "parts": [text]}
    state = {
        "status": "completed",
        "input": {"command": f"echo {number}", "description": "Say a number"},
        "output": f"{number}\n" * 20,
        "title": "Say a number",
        "metadata": {},
        "time": {"start": number + 1, "end": number + 1},
    }
    call = {"id": named("prt", 10 * number + 1), "type": "tool", "tool": "bash", "callID": f"call_{number}", **where}
    info = {
        **made,
        "time": {"created": number + 1, "completed": number + 1},
        "role": "assistant",
        "parentID": named("msg", number - 1),
        "mode": "build",
        "agent": "build",
        "path": {"cwd": "/", "root": "/"},
        "cost": 0,
        "tokens": {"input": 10, "output": 10, "reasoning": 0, "cache": {"read": 0, "write": 0}},
        "finish": "stop",
        **model,
    }
    return {"info": info, "parts": [text, {**call, "state": state}]}


def named(kind: str, number: int) -> str:
    """An id as OpenCode makes them, older than any that it makes now."""
    return f"{kind}_{number + 1:012x}LatencyBench00"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patched", type=Path, required=True)
    parser.add_argument("--stock", type=Path)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--history", type=int, default=1000, help="messages of the long history (default: 1000)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    binaries = [path.absolute() for path in (given.patched, given.stock) if path]
    try:
        with tempfile.TemporaryDirectory(prefix="bench-latency-", ignore_cleanup_errors=True) as name:
            runners = measure(binaries, Path(name), given.turns, given.history)
    except PatcherError as error:
        sys.exit(str(error))
    show_json(runners) if given.json else show(runners, given.turns)


def show_json(runners: Sequence[Runner]) -> None:
    print(json.dumps({one.name: one.values for one in runners}, indent=2))


def show(runners: Sequence[Runner], turns: int) -> None:
    columns: tuple[tuple[str, Callable[[Sequence[float]], float]], ...] = (
        ("median", median),
        ("fastest", min),
        ("slowest", max),
    )
    print(f"{'':52}{'':9}" + "".join(f"{name:>9}" for name, _ in columns) + f"   ({turns} turns, ms)")
    for what in dict.fromkeys(what for one in runners for what in one.values):
        for one in runners:
            if values := one.values.get(what):
                print(f"{what:52}{one.name:9}" + "".join(f"{of(values):9.0f}" for _, of in columns) + goal(what))


def goal(what: str) -> str:
    """The goal for a figure, if there is one."""
    name, _, quantity = what.partition(": ")
    if quantity != "next request":
        return ""
    short = name.removesuffix(", long history")
    return f"   goal {GOALS[short] * (1 if name == short else 2):.0f}"


if __name__ == "__main__":
    main()
