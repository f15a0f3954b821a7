"""The whole drill: find out what the binary is, run the scenarios one after another, report."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from opencode_patcher.drill.judge import Row, judge
from opencode_patcher.drill.observation import Observation
from opencode_patcher.drill.report import Report
from opencode_patcher.drill.runner import observe, probe
from opencode_patcher.drill.scenario import Scenario
from opencode_patcher.drill.scenarios import SCENARIOS
from opencode_patcher.errors import DrillError, StoreError, UsageError
from opencode_patcher.progress import Reporter, SilentReporter


def select(names: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios of these names, in the table's order; all of them for no name.

    Raises UsageError for an unknown name and offers the nearest.
    """
    known = {scenario.name: scenario for scenario in SCENARIOS}
    for name in names:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            raise UsageError(
                f"There is no scenario {name!r}.",
                why=f"Did you mean {near[0]!r}?" if near else "",
                next_step="Scenarios: " + ", ".join(known),
            )
    return tuple(scenario for scenario in SCENARIOS if not names or scenario.name in names)


def run(
    binary: Path,
    scenarios: Sequence[Scenario] = SCENARIOS,
    *,
    reporter: Reporter | None = None,
    keep: Path | None = None,
    limit: float | None = None,
    watch: Callable[[Observation, Row], None] | None = None,
) -> Report:
    """Drill a binary. A scenario that fails is a row of the report, not an error.

    The homes of the runs are thrown away, unless ``keep`` names a directory for them. ``limit`` is the
    longest time of one turn in seconds (see ``runner.observe``); ``watch`` is given each run and its verdict as
    soon as it has ended. Raises DrillError when the binary cannot be drilled.
    """
    reporter = reporter or SilentReporter()
    started = time.monotonic()
    rows: list[Row] = []
    with _place(keep) as place:
        template = place / "probe"
        with reporter.phase("Looking at the binary") as phase:
            target = probe(binary, template)
            kind = f"serves {target.model}" if target.patched else "stock, no combined models"
            phase.detail(f"OpenCode {target.version}, {kind}")
        for scenario in scenarios:
            with reporter.phase(f"Drilling: {scenario.title}") as phase:
                observation = observe(scenario, target, place / scenario.name, template=template, limit=limit)
                row = judge(observation)
                rows.append(row)
                phase.detail("passed" if row.passed else "FAILED")
            if watch:
                watch(observation, row)
    return Report(
        binary=binary,
        version=target.version,
        patched=target.patched,
        rows=tuple(rows),
        seconds=time.monotonic() - started,
    )


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
