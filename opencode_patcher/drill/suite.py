"""The whole drill: find out what the binary is, run the scenarios, report.

The quick set runs first and alone, one scenario after another: its times from a failure to the next request count.
The others run two at a time, and their times are not reported.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from opencode_patcher.base.errors import DrillError, StoreError, UsageError
from opencode_patcher.base.progress import Reporter, SilentReporter
from opencode_patcher.drill.drivers.run import observe, probe
from opencode_patcher.drill.scenarios.agents import AGENT_SCENARIOS
from opencode_patcher.drill.scenarios.benchmark import BENCH_SCENARIOS
from opencode_patcher.drill.scenarios.entry_points import WAY_SCENARIOS
from opencode_patcher.drill.scenarios.protocols import PROTOCOL_SCENARIOS
from opencode_patcher.drill.scenarios.quick import SCENARIOS
from opencode_patcher.drill.scenarios.scenario import Scenario
from opencode_patcher.drill.verdict.judge import Row, judge
from opencode_patcher.drill.verdict.observation import Observation
from opencode_patcher.drill.verdict.report import Report

ALL_SCENARIOS = (*SCENARIOS, *BENCH_SCENARIOS, *AGENT_SCENARIOS, *PROTOCOL_SCENARIOS, *WAY_SCENARIOS)
"""The quick set, the public benchmark's, those of agents, protocols and other ways in, in the table's order."""

AT_A_TIME = 2
"""More side by side make each other wait on a small machine, and then look slower than they are."""


def select(names: Sequence[str], *, quick: bool = False) -> tuple[Scenario, ...]:
    """The scenarios of these names, in the table's order; for no name all of them, or with ``quick`` the quick set.

    Raises UsageError for an unknown name and offers the nearest.
    """
    if not names:
        return SCENARIOS if quick else ALL_SCENARIOS
    known = {scenario.name: scenario for scenario in ALL_SCENARIOS}
    for name in names:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            raise UsageError(
                f"There is no scenario {name!r}.",
                why=f"Did you mean {near[0]!r}?" if near else "",
                next_step="Scenarios: " + ", ".join(known),
            )
    return tuple(scenario for scenario in ALL_SCENARIOS if scenario.name in names)


def run(
    binary: Path,
    scenarios: Sequence[Scenario] = SCENARIOS,
    *,
    reporter: Reporter | None = None,
    keep: Path | None = None,
    limit: float | None = None,
    watch: Callable[[Observation, Row], None] | None = None,
) -> Report:
    """Drill a binary, by default with the quick set. A scenario that fails is a row of the report, not an error.

    The homes of the runs are thrown away, unless ``keep`` names a directory for them. ``limit`` is the
    longest time of one turn in seconds (see ``runner.observe``); ``watch`` is given each run and its verdict as
    soon as it has ended. Raises DrillError when the binary cannot be drilled.
    """
    reporter = reporter or SilentReporter()
    started = time.monotonic()
    rows: dict[str, Row] = {}
    with _place(keep) as place:
        template = place / "probe"
        with reporter.phase("Looking at the binary") as phase:
            target = probe(binary, template)
            kind = f"serves {target.model}" if target.patched else "stock, no combined models"
            phase.detail(f"OpenCode {target.version}, {kind}")
        stop = threading.Event()

        def drill(scenario: Scenario) -> Row:
            root = place / scenario.name
            observation = observe(scenario, target, root, template=template, limit=limit, stop=stop)
            row = judge(observation)
            if watch:
                watch(observation, row)
            return row

        alone = {scenario.name for scenario in SCENARIOS}
        for scenario in (scenario for scenario in scenarios if scenario.name in alone):
            with reporter.phase(f"Drilling: {scenario.title}") as phase:
                row = rows[scenario.name] = drill(scenario)
                phase.detail("passed" if row.passed else "FAILED")
        if others := [scenario for scenario in scenarios if scenario.name not in alone]:
            for row in _side_by_side(others, drill, stop, reporter):
                rows[row.scenario] = replace(row, failover_ms=None)
    return Report(
        binary=binary,
        version=target.version,
        patched=target.patched,
        rows=tuple(rows[scenario.name] for scenario in scenarios),
        seconds=time.monotonic() - started,
    )


def _side_by_side(
    scenarios: Sequence[Scenario], drill: Callable[[Scenario], Row], stop: threading.Event, reporter: Reporter
) -> Iterator[Row]:
    """The rows as they come. When anything raises, what is under way is ended and the rest is not begun."""
    with (
        reporter.phase(f"Drilling: {len(scenarios)} more, {AT_A_TIME} at a time") as phase,
        ThreadPoolExecutor(AT_A_TIME) as pool,
    ):
        pending = [pool.submit(drill, scenario) for scenario in scenarios]
        failed = 0
        try:
            for number, done in enumerate(as_completed(pending), 1):
                row = done.result()
                failed += not row.passed
                phase.detail(f"{number} of {len(scenarios)}" + (f", {failed} FAILED" if failed else ""))
                yield row
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    try:
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            yield Path(tempfile.mkdtemp(prefix="drill-", dir=keep.absolute()))
            return
        with tempfile.TemporaryDirectory(prefix="opencode-drill-", ignore_cleanup_errors=True) as name:
            yield Path(name)
    except (OSError, StoreError) as error:
        raise DrillError(
            "The drill has no room for its throw-away homes.",
            why=str(error),
            next_step="Free some space in the temporary directory, or set TMPDIR to another one.",
        ) from error
