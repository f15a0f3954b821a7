"""The whole drill: find out what the binary is and how slow the machine is, run the scenarios, report."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from opencode_patcher.base import scratch
from opencode_patcher.base.errors import DrillError, StoreError
from opencode_patcher.base.guard import guarding
from opencode_patcher.base.progress import Reporter, SilentReporter
from opencode_patcher.base.version import parse_tag
from opencode_patcher.drill.dispatch import Isolated, Place
from opencode_patcher.drill.dispatch import place as placed
from opencode_patcher.drill.scenarios.pace import Pace, pace
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, ERRAND, SCENARIOS
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario, Through
from opencode_patcher.drill.verdict.judge import Verdict, judge
from opencode_patcher.drill.verdict.observation import Observation
from opencode_patcher.drill.verdict.report import Report

TIMED_AT_A_TIME = 2
"""How many quick scenarios run at a time in one server. More would delay each other's requests."""

AT_A_TIME = 6
"""How many others. They mostly wait: for a pause, a time-out, a tool. Their times are not reported."""

SLOW_AT_A_TIME = 3
"""The same on a machine that is more than twice as slow as the reference."""

LONG_SECONDS = 10.0
"""A scenario that waits longer than this between its turns starts at once, whatever else is running."""

PROCESSES_AT_A_TIME = 1
"""How many scenarios that start their own processes run at a time, beside a server for the others. A start takes two
seconds of one core.
"""

ISOLATED_AT_A_TIME = 2
"""How many of these scenarios run at a time if there is no server."""

MOST_REPEATS = 8
"""A loaded machine makes a few scenarios late. If more than this are late, the binary is to blame."""

WARM_UPS = tuple(
    Scenario(
        name=f"warm-up-{number}",
        title="a healthy turn with a tool",
        providers=(ALPHA, BETA),
        turns=(ERRAND,),
        expected=Expectation(served_by=None),
        through=Through.SERVE,
    )
    for number in (1, 2)
)
"""In the first, the server loads what it loads only once; the second shows how fast the machine is."""

_QUICK = {scenario.name for scenario in SCENARIOS}

Watch = Callable[[Observation, Verdict], None]


def run(
    binary: Path,
    scenarios: Sequence[Scenario] = SCENARIOS,
    *,
    reporter: Reporter | None = None,
    keep: Path | None = None,
    limit: float | None = None,
    watch: Watch | None = None,
    isolated: bool = False,
) -> Report:
    """Drill a binary, by default with the quick set. A scenario that fails is a verdict in the report, not an error.

    The homes are deleted, unless ``keep`` names a directory for them. ``limit`` is the longest time of one turn in
    seconds; without it, the limits depend on how long a healthy turn takes on this machine, and a patched binary's
    scenario that is only too slow is repeated once, alone. ``watch`` gets each observation and its verdict as soon as
    the scenario has ended. ``isolated``: a separate home and process for each scenario instead of one server for most.
    Raises DrillError when the binary cannot be drilled.
    """
    reporter = reporter or SilentReporter()
    started = time.monotonic()
    stop = threading.Event()
    with guarding(), _root(keep) as root, ExitStack() as stack:
        with reporter.phase("Checking the binary") as phase:
            place = stack.enter_context(placed(binary, root, limit, stop, isolated=isolated))
            subject = place.subject
            kind = f"serves {subject.model}" if subject.patched else "stock, no combined models"
            phase.detail(f"OpenCode {subject.version}, {kind}")
        # A binary that is not a release has to behave like the newest one.
        version = parse_tag(f"v{subject.version}")
        held = [one for one in scenarios if one.releases.has(version)]
        if scenarios and not held:
            raise DrillError(
                f"None of these scenarios is for OpenCode {subject.version}.",
                why=f"Named: {', '.join(one.name for one in scenarios)}.",
                next_step="opencode-patcher verify",
            )
        scenarios = place.playable(held)
        left_out = {one.name: place.left_out[one.name] for one in held if one.name in place.left_out}
        healthy = None
        warm_ups = place.playable(WARM_UPS)
        if not isinstance(place, Isolated):
            place.cast((*warm_ups, *scenarios))
            with reporter.phase("Measuring a healthy turn") as phase:
                healthy = [place.observe(one, Pace()).seconds for one in warm_ups][-1]
                phase.detail(f"{healthy:.1f} s")
        drill = _Drill(place, pace(healthy or 0.0), stop, watch)
        verdicts = drill.all(scenarios, reporter)
        if subject.patched and limit is None:
            verdicts |= drill.again([one for one in scenarios if verdicts[one.name].late], verdicts, reporter)
    return Report(
        binary=binary,
        version=subject.version,
        patched=subject.patched,
        verdicts=tuple(verdicts[scenario.name] for scenario in scenarios),
        seconds=time.monotonic() - started,
        healthy_seconds=healthy,
        left_out=left_out,
    )


class _Drill:
    """Scenarios being run."""

    def __init__(self, place: Place, pace: Pace, stop: threading.Event, watch: Watch | None) -> None:
        self._place = place
        self._pace = pace
        self._stop = stop
        self._watch = watch
        self._watching = threading.Lock()

    def all(self, scenarios: Sequence[Scenario], reporter: Reporter) -> dict[str, Verdict]:
        """The verdicts by name. When anything raises, running scenarios are ended and the others not started."""
        found: dict[str, Verdict] = {}
        with reporter.phase(f"Drilling {_count(scenarios)}") as phase, ExitStack() as stack:
            pools = [stack.enter_context(ThreadPoolExecutor(size)) for size in self._sizes()]
            try:
                for done in as_completed(self._begin(scenarios, *pools)):
                    verdict = done.result()
                    found[verdict.scenario] = verdict
                    failed = sum(not one.passed for one in found.values())
                    phase.detail(f"{len(found)} of {len(scenarios)}" + (f", {failed} FAILED" if failed else ""))
            except BaseException:
                self._stop.set()
                for pool in pools:
                    pool.shutdown(wait=False, cancel_futures=True)
                raise
        return found

    def _sizes(self) -> tuple[int, int, int]:
        """How many scenarios at a time: those whose times are reported, others, and those with their own processes."""
        if isinstance(self._place, Isolated):
            return 1, 1, ISOLATED_AT_A_TIME
        return TIMED_AT_A_TIME, SLOW_AT_A_TIME if self._pace.factor > 2 else AT_A_TIME, PROCESSES_AT_A_TIME

    def _begin(
        self,
        scenarios: Sequence[Scenario],
        timed: ThreadPoolExecutor,
        served: ThreadPoolExecutor,
        started: ThreadPoolExecutor,
    ) -> list[Future[Verdict]]:
        """The order of the scenarios: the quick set goes first, so that its failover times are meaningful."""
        # Those that wait longest go first, so that none is left waiting at the end.
        order = sorted(scenarios, key=_pauses, reverse=True)
        isolated = isinstance(self._place, Isolated)
        own = [one for one in order if isolated or one.through in {Through.RUN, Through.ACP}]
        first = [timed.submit(self._one, one) for one in order if one.name in _QUICK and one not in own]
        return [
            *first,
            *(started.submit(self._one, one) for one in own),
            *(
                served.submit(self._one_after, first if _pauses(one) < LONG_SECONDS else [], one)
                for one in order
                if one.name not in _QUICK and one not in own
            ),
        ]

    def again(self, late: Sequence[Scenario], first: dict[str, Verdict], reporter: Reporter) -> dict[str, Verdict]:
        """Run each of these once more, alone; none if there are too many to blame the machine."""
        if not late or len(late) > MOST_REPEATS:
            return {}
        with reporter.phase(f"Repeating {_count(late)} that took too long, one at a time") as phase:
            # The machine may have become slower since.
            warm_up = self._place.playable(WARM_UPS)[-1]
            self._pace = max(self._pace, pace(self._place.observe(warm_up, self._pace).seconds))
            second = {one.name: replace(self._one(one), first_try=first[one.name].failures) for one in late}
            failed = sum(not verdict.passed for verdict in second.values())
            phase.detail(f"{failed} FAILED" if failed else "passed")
        return second

    def _one_after(self, before: list[Future[Verdict]], scenario: Scenario) -> Verdict:
        # Not ``wait``: a future that was cancelled before it started never wakes it.
        while not all(one.done() for one in before):
            time.sleep(0.05)
        return self._one(scenario)

    def _one(self, scenario: Scenario) -> Verdict:
        observation = self._place.observe(scenario, self._pace)
        verdict = judge(observation)
        if scenario.name not in _QUICK:
            verdict = replace(verdict, failover_ms=None)
        if self._watch:
            with self._watching:
                self._watch(observation, verdict)
        return verdict


def _pauses(scenario: Scenario) -> float:
    return sum(turn.pause for turn in scenario.turns)


def _count(scenarios: Sequence[Scenario]) -> str:
    return "1 scenario" if len(scenarios) == 1 else f"{len(scenarios)} scenarios"


@contextmanager
def _root(keep: Path | None) -> Iterator[Path]:
    try:
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            yield Path(tempfile.mkdtemp(prefix="drill-", dir=keep.absolute()))
            return
        with scratch.directory("drill") as place:
            yield place
    except (OSError, StoreError) as error:
        raise DrillError(
            "The temporary homes for the drill cannot be created.",
            why=str(error),
            next_step="Free some space in the temporary directory, or set TMPDIR to another one.",
        ) from error
