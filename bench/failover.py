"""How long a failover takes, and what a healthy turn costs: a patched binary beside a stock one.

    python bench/failover.py --patched PATH [--stock PATH] [--repeats N] [--json]

Both binaries run the drill's scenarios against the same fake providers, in turn, so that a machine that slows
down slows both. Times are wall time; "next request" is measured at the providers, from the end of the failed
answer to the arrival of the next request (at the next provider for the patched binary, at the same one for
stock).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from opencode_patcher.base.errors import PatcherError
from opencode_patcher.drill.dispatch import observe
from opencode_patcher.drill.drivers.probe import probe
from opencode_patcher.drill.scenarios.scenario import Scenario
from opencode_patcher.drill.scenarios.selection import select
from opencode_patcher.drill.verdict.judge import failover_ms, judge, retry_ms
from opencode_patcher.drill.verdict.observation import Observation, Subject

FAILING = ("503", "429", "cut-in-text", "cut-after-tool")
STOCK = ("healthy", "503")
"""The scenarios for a stock binary. One failure is enough: it waits the same 2 s after any of them."""

HEALTHY = "healthy"
GOAL_MS = 50.0
"""From a provider's failure to the next provider's request, median."""

Measure = Callable[[Observation], float | None]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One measured quantity of one binary, in milliseconds."""

    what: str
    binary: str
    values: tuple[float, ...]


def to_first_request(observation: Observation) -> float | None:
    """From the start of the process to the first request of the conversation: start-up."""
    asked = observation.turn_exchanges
    return (asked[0].arrived - observation.started) * 1000 if asked else None


def turn(observation: Observation) -> float | None:
    """From the first request of the conversation to the end of the last step as printed."""
    asked, ended = observation.turn_exchanges, observation.of_kind("step_finish")
    return (ended[-1].at - asked[0].arrived) * 1000 if asked and ended else None


def whole_run(observation: Observation) -> float | None:
    """The whole process."""
    return observation.seconds * 1000


def next_request(observation: Observation) -> float | None:
    """From a failure to the next request."""
    return failover_ms(observation) if observation.subject.patched else retry_ms(observation)


def measure(targets: Sequence[tuple[Subject, Path]], place: Path, repeats: int) -> list[Series]:
    """Every scenario ``repeats`` times on every binary; the first round of each is dropped (cold caches)."""
    healthy: dict[str, Measure] = {
        "healthy: start to first request": to_first_request,
        "healthy: request to end of turn": turn,
        "healthy: whole run": whole_run,
    }
    plan = {HEALTHY: healthy}
    plan |= {name: {f"{name}: next request": next_request} for name in FAILING}
    found: list[Series] = []
    for scenario in select(list(plan)):
        measures = plan[scenario.name]
        values: dict[tuple[str, str], list[float]] = {}
        for number in range(repeats + 1):
            for subject, template in targets:
                if not subject.patched and scenario.name not in STOCK:
                    continue
                seen = run(scenario, subject, place / f"{scenario.name}-{kind(subject)}-{number}", template)
                for what, of in measures.items():
                    if number and (value := of(seen)) is not None:
                        values.setdefault((what, kind(subject)), []).append(value)
        found += [Series(what=what, binary=binary, values=tuple(v)) for (what, binary), v in values.items()]
    return found


def run(scenario: Scenario, subject: Subject, place: Path, template: Path) -> Observation:
    seen = observe(scenario, subject, place, template=template)
    if subject.patched and not (row := judge(seen)).passed:
        sys.exit(f"{scenario.name} does not pass on {subject.binary}, so its time means nothing: {row.failures}")
    return seen


def kind(subject: Subject) -> str:
    return "patched" if subject.patched else "stock"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patched", type=Path, required=True)
    parser.add_argument("--stock", type=Path)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    binaries = [path.absolute() for path in (arguments.patched, arguments.stock) if path]
    try:
        with tempfile.TemporaryDirectory(prefix="bench-failover-", ignore_cleanup_errors=True) as name:
            place = Path(name)
            targets = [(probe(path, place / f"probe-{n}"), place / f"probe-{n}") for n, path in enumerate(binaries)]
            found = measure(targets, place, arguments.repeats)
    except PatcherError as error:
        sys.exit(str(error))
    if arguments.json:
        print(json.dumps([{"what": one.what, "binary": one.binary, "ms": one.values} for one in found], indent=2))
        return
    print(f"{'':34}{'':9}{'median':>10}{'fastest':>10}{'slowest':>10}   ({arguments.repeats} runs, ms)")
    for one in sorted(found, key=lambda one: one.what):
        shown = "".join(f"{value:10.0f}" for value in (median(one.values), min(one.values), max(one.values)))
        print(f"{one.what:34}{one.binary:9}{shown}")
    times = [value for one in found if one.binary == "patched" and "next request" in one.what for value in one.values]
    print(f"Goal: next request within {GOAL_MS:g} ms; median of all {len(times)}: {median(times):.0f} ms.")


if __name__ == "__main__":
    main()
