"""Builds a small upstream with the same pipeline that builds OpenCode, and watches its binary fail over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from opencode_patcher import drill
from opencode_patcher.base import resources
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.demo import repository
from opencode_patcher.drill.verdict.judge import Verdict
from opencode_patcher.drill.verdict.observation import Observation
from opencode_patcher.drill.verdict.timeline import TimelineEntry, timeline
from opencode_patcher.install import builds
from opencode_patcher.upstream.lock import Lock, packed_file, read_lock

SCENARIOS = ("429", "cut-in-text", "cut-after-tool")
"""Refused before the first word, cut off after some words, cut off after a tool that must not run again."""

CATALOGUE = Path(__file__).with_name("models.json")
STORE = "demo"
"""A separate store, so that ``install`` never mistakes the small program for OpenCode."""


@dataclass(frozen=True, kw_only=True)
class Episode:
    """The result of one scenario: the verdict, and what happened when."""

    verdict: Verdict
    lines: tuple[TimelineEntry, ...]


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """The binary that was built, and the episodes in the order of ``SCENARIOS``."""

    line: Line
    binary: Path
    reused: bool
    episodes: tuple[Episode, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the scenarios that failed."""
        return tuple(episode.verdict.scenario for episode in self.episodes if not episode.verdict.passed)


def request(store: Store, line: Line = OPENCODE_1) -> tuple[Request, Lock]:
    """The request for ``pipeline.build``: the small upstream of the line in ``store``, locked to its commit."""
    upstream = repository.ensure(store, line=line)
    lock = replace(read_lock(packed_file(line)), release=upstream.release)
    source = str(upstream.path)
    return Request(line=line, patches=resources.patches(line), source=source, models_json=CATALOGUE), lock


def watch(binary: Path, reporter: Reporter, keep: Path | None = None) -> tuple[Episode, ...]:
    """Run ``SCENARIOS`` on a binary and record what happened. Raises DrillError when it cannot be drilled."""
    episodes: list[Episode] = []

    def remember(observation: Observation, verdict: Verdict) -> None:
        episodes.append(Episode(verdict=verdict, lines=timeline(observation)))

    # The small OpenCode 1 has no server.
    drill.run(binary, drill.select(SCENARIOS), reporter=reporter, keep=keep, watch=remember, isolated=True)
    return tuple(sorted(episodes, key=lambda episode: SCENARIOS.index(episode.verdict.scenario)))


def outcome(episodes: list[Episode]) -> builds.DrillResult:
    """The drill result that the episodes make."""
    times = [episode.verdict.failover_ms for episode in episodes if episode.verdict.failover_ms is not None]
    return builds.DrillResult(
        passed=tuple(episode.verdict.scenario for episode in episodes if episode.verdict.passed),
        failed=tuple(episode.verdict.scenario for episode in episodes if not episode.verdict.passed),
        failover_ms=median(times) if times else None,
    )
