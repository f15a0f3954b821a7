"""How many requests still go to a provider that has refused, when many turns of several processes begin at once.

    python -m bench.storm --patched PATH [--processes N] [--turns N] [--json]

The first provider refuses every request, the second answers. Requests that were sent before the first refusal arrived
cannot be avoided. Those that arrive later were sent although the refusal was known.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from opencode_patcher.base.errors import PatcherError
from opencode_patcher.drill.drivers.client import Client
from opencode_patcher.drill.drivers.home import Home, configuration, prepare
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer
from opencode_patcher.drill.drivers.opencode_server import serving as opencode
from opencode_patcher.drill.drivers.probe import probe
from opencode_patcher.drill.fakes.exchange import Exchange
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.server import Host
from opencode_patcher.drill.fakes.wire import as_object
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING, RESTING
from opencode_patcher.drill.verdict.observation import Subject

TURN_SECONDS = 120.0
UNDER_WAY_SECONDS = 0.05
"""A request that arrives this soon after the first refusal had already been sent."""


@dataclass(frozen=True, kw_only=True)
class Storm:
    """``asked`` counts the requests at the provider that refuses; ``late`` are those that could have been avoided."""

    turns: int
    answered: int
    asked: int
    late: tuple[float, ...]
    """When they arrived, in milliseconds after the first refusal."""


def measure(subject: Subject, root: Path, processes: int, turns: int) -> Storm:
    """Start ``turns`` turns at once in ``processes`` servers of one user."""
    with ExitStack() as stack:
        fakes = [FakeProvider(one, (GREETING,)) for one in (replace(ALPHA, then=RESTING), BETA)]
        host = stack.enter_context(Host())
        for fake in fakes:
            host.add(fake)
        urls = {fake.provider.id: fake.base_url for fake in fakes}
        home = prepare(root, configuration([fake.provider for fake in fakes], urls, priority=True))
        servers = [stack.enter_context(_started(subject, home)) for _ in range(processes)]
        sessions = [(*servers[number % processes], _session(servers[number % processes][0])) for number in range(turns)]
        with ThreadPoolExecutor(turns) as pool:
            list(pool.map(lambda one: one[1].ask(one[0], one[2], GREETING.prompt), sessions))
            answered = sum(pool.map(lambda one: one[1].wait(one[2], TURN_SECONDS), sessions))
        refused = fakes[0].exchanges
        return Storm(turns=turns, answered=answered, asked=len(refused), late=late(refused))


def late(refused: Sequence[Exchange]) -> tuple[float, ...]:
    """When the requests arrived that were sent although the first refusal was known, in milliseconds after it."""
    known = min((one.finished for one in refused if one.finished is not None), default=time.monotonic())
    return tuple((one.arrived - known) * 1000 for one in refused if one.arrived > known + UNDER_WAY_SECONDS)


@contextmanager
def _started(subject: Subject, home: Home) -> Iterator[tuple[OpenCodeServer, Client]]:
    client = Client(subject.model or "")
    with opencode(subject.binary, home) as server, server.following(client.event):
        yield server, client


def _session(server: OpenCodeServer) -> str:
    # A session that has a title asks for none.
    return str(as_object(server.call("POST", "/session", {"title": "Storm"})).get("id"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patched", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-storm-", ignore_cleanup_errors=True) as name:
            subject = probe(given.patched.absolute(), Path(name) / "probe")
            found = measure(subject, Path(name) / "home", given.processes, given.turns)
    except PatcherError as error:
        sys.exit(str(error))
    if given.json:
        print(json.dumps(vars(found)))
        return
    print(f"{found.turns} turns at once in {given.processes} processes, {found.answered} answered.")
    print(f"{found.asked} requests to the provider that refuses, {len(found.late)} of them although it was known.")
    if found.late:
        print("They came " + ", ".join(f"{value:.0f}" for value in found.late) + " ms after the first refusal.")


if __name__ == "__main__":
    main()
