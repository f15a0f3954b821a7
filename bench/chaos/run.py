"""Drives one server through the sessions of many seeds, some of them side by side."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench.chaos import opencode
from bench.chaos.check import violations
from bench.chaos.plan import GROUPS, MODEL, members, session
from opencode_patcher.drill.drivers.home import Home, configuration, prepare
from opencode_patcher.drill.fakes.exchange import Exchange
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.faults import Broken, describe
from opencode_patcher.drill.fakes.server import Host
from opencode_patcher.drill.scenarios.scenario import EFFECTS
from opencode_patcher.drill.verdict import costs
from opencode_patcher.drill.verdict.observation import Subject

HEALTH = "combined-health.json"
"""The file with the members' health. It is replaced by temporary files that have its name and a number."""

TURN_SECONDS = 90.0
"""How long a turn may take. All members of a group may be in cooldown at once, and then the turn waits."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """One turn that was played: its broken invariants, how many answers failed, the milliseconds from each failure to
    the next provider's request, and its requests as a line each.
    """

    seed: int
    number: int
    seconds: float
    violations: tuple[str, ...]
    failures: int
    failover_ms: tuple[float, ...]
    story: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All turns, what was finally left behind, and the server's memory in MB after its start and after the last turn
    (None where the system does not tell).
    """

    turns: tuple[Played, ...]
    left: tuple[str, ...]
    memory: tuple[float | None, float | None]


def play(
    subject: Subject,
    root: Path,
    seeds: Sequence[int],
    *,
    healthy: bool = False,
    workers: int = 2,
    watch: Callable[[Played], None] | None = None,
) -> Outcome:
    """Play the sessions of ``seeds`` in a fresh home below ``root``. Sessions of one group follow one another;
    ``workers`` groups are played side by side. Raises DrillError when the server cannot be run.
    """
    with ExitStack() as stack:
        host = stack.enter_context(Host())
        fakes = {group: [FakeProvider(one, ()) for one in members(group)] for group in range(GROUPS)}
        for fake in (fake for found in fakes.values() for fake in found):
            host.add(fake)
        every = [fake for group in fakes.values() for fake in group]
        settings = configuration(
            [fake.provider for fake in every],
            {fake.provider.id: fake.base_url for fake in every},
            priority=subject.patched,
            combined={
                "groups": {
                    f"chaos-{group}": [f"{fake.provider.id}/{fake.provider.model}" for fake in found]
                    for group, found in fakes.items()
                }
            },
        )
        home = prepare(root, settings)
        sessions = stack.enter_context(opencode.running(subject, home))
        before = memory(subject.binary)
        stage = _Stage(subject=subject, home=home, sessions=sessions, healthy=healthy)

        def group(number: int) -> list[Played]:
            found = []
            for seed in (seed for seed in seeds if seed % GROUPS == number):
                for played in stage.session(seed, number, fakes[number]):
                    found.append(played)
                    if watch:
                        watch(played)
            return found

        with ThreadPoolExecutor(workers) as pool:
            turns = [played for found in pool.map(group, range(GROUPS)) for played in found]
        return Outcome(turns=tuple(turns), left=tuple(stage.left()), memory=(before, memory(subject.binary)))


class _Stage:
    def __init__(self, *, subject: Subject, home: Home, sessions: opencode.Sessions, healthy: bool) -> None:
        self._target = subject
        self._home = home
        self._effects = home.work / EFFECTS
        self._sessions = sessions
        self._healthy = healthy
        self._lock = threading.Lock()
        self._opened = 0

    def session(self, seed: int, group: int, fakes: Sequence[FakeProvider]) -> Iterator[Played]:
        """Play one session. It stops early if a turn does not end."""
        id = self._sessions.open(f"combined/chaos-{group}" if self._target.patched else f"a{group}/{MODEL}-{group}")
        with self._lock:
            self._opened += 1
        messages, asked = 0, 0
        for number, found in enumerate(session(seed, healthy=self._healthy)):
            providers = members(group, found)
            turn = opencode.spoken(self._target, found.turn)
            for fake, one in zip(fakes, providers, strict=True):
                fake.renew(one, (turn,))
            began = time.monotonic()
            ended = self._sessions.play(id, turn, TURN_SECONDS)
            seconds = time.monotonic() - began
            stored = self._sessions.stored(id)
            exchanges = sorted((one for fake in fakes for one in fake.exchanges), key=lambda one: one.arrived)
            wrong = violations(
                found,
                stored.messages[messages:],
                asked=stored.asked - asked,
                lines=self._lines(found.turn.prompt.split()[5].rstrip(",")),
                exchanges=exchanges,
                providers=providers,
            )
            wrong = (*wrong, *costs.differing(stored))
            shown = self._sessions.shown(id)
            if shown != (said := "".join(message.text for message in stored.messages)):
                wrong = (*wrong, f"the screen shows {shown[-200:]!r} instead of {said[-200:]!r}")
            messages, asked = len(stored.messages), stored.asked
            yield Played(
                seed=seed,
                number=number,
                seconds=seconds,
                violations=wrong if ended else (f"the turn did not end in {TURN_SECONDS:g} s", *wrong),
                failures=sum(one.failed for one in exchanges),
                failover_ms=tuple(failovers(exchanges)),
                story=tuple(told(exchanges)),
            )
            if not ended:
                self._sessions.stop(id)
                return

    def left(self) -> Iterator[str]:
        """What is left at the end: running sessions, unknown sessions, tools, temporary files."""
        if busy := self._sessions.running():
            yield f"{busy} sessions are still running"
        found = self._sessions.count(self._opened + 100)
        if found != self._opened:
            yield f"there are {found} sessions instead of {self._opened}"
        if tools := running_tools(self._home.work):
            yield f"{len(tools)} tools are still running: {', '.join(tools)}"
        yield from (f"{path.name} lies beside {HEALTH}" for path in drafts(self._home.home))

    def _lines(self, name: str) -> Counter[str]:
        if not self._effects.is_file():
            return Counter()
        lines = self._effects.read_text(encoding="utf-8").splitlines()
        return Counter(line for line in lines if line.startswith(f"line-{name}s"))


def failovers(exchanges: Sequence[Exchange]) -> Iterator[float]:
    """Milliseconds from the end of a failed answer to the next request, if that went to another provider."""
    for before, after in pairwise(exchanges):
        if before.failed and before.finished is not None and before.provider != after.provider:
            yield (after.arrived - before.finished) * 1000


def told(exchanges: Sequence[Exchange]) -> Iterator[str]:
    """One line for each request: when it came, at which provider, with which fault, and what was sent."""
    for one in exchanges:
        sent = ", ".join(f"{count} {kind.value}" for kind, count in Counter(sent.kind for sent in one.sent).items())
        at = (one.arrived - exchanges[0].arrived) * 1000
        fault = describe(one.fault) if one.fault else "healthy"
        pause = f", {one.fault.pause:g} s before the break" if isinstance(one.fault, Broken) else ""
        yield f"{at:6.0f} ms {one.provider} {one.purpose.value}: {fault}{pause}; sent {sent or one.status}"


def running_tools(work: Path) -> list[str]:
    """The commands of tools that run in the directory ``work``; none without /proc."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes().decode("utf-8", errors="replace").split("\0")
            if any(EFFECTS in word for word in words) and command.with_name("cwd").resolve() == work.resolve():
                found.append(" ".join(words).strip())
        except OSError:
            continue
    return found


def drafts(home: Path) -> list[Path]:
    """Temporary files beside the file of the members' health."""
    return sorted(home.rglob(f"{HEALTH}.*"))


def memory(binary: Path) -> float | None:
    """The resident memory in MB of the child process that runs ``binary``; None without /proc."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text(encoding="utf-8")
            child = int(text.split("PPid:")[1].split()[0]) == os.getpid()
            if child and status.with_name("exe").resolve() == binary.resolve():
                return int(text.split("VmRSS:")[1].split()[0]) / 1024
        except (OSError, LookupError, ValueError):
            continue
    return None
