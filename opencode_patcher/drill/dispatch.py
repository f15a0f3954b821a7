"""Picks the driver for a scenario, and where it runs: in its own home or a shared one.

In a shared home one server runs most scenarios, several at a time, each with its own providers and group. Scenarios
about another OpenCode command start that command in the same home, in their own project.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from opencode_patcher.base import files, scratch
from opencode_patcher.base import line as lines
from opencode_patcher.base.version import version_of
from opencode_patcher.drill.drivers import acp, opencode_2, opencode_2_apart, run, second_api, serve
from opencode_patcher.drill.drivers.home import Home, furnish, harmless, start_project
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer, serving
from opencode_patcher.drill.drivers.probe import look, not_drillable, probe
from opencode_patcher.drill.drivers.stage import Stage, own_home, shared_settings, staged, taking_over
from opencode_patcher.drill.drivers.stored import exported, served
from opencode_patcher.drill.fakes.server import Host
from opencode_patcher.drill.scenarios.opencode_2 import BY_RUN, LEFT_OUT, RESTARTED, playable
from opencode_patcher.drill.scenarios.pace import Pace, paced
from opencode_patcher.drill.scenarios.scenario import Scenario, Through
from opencode_patcher.drill.verdict.observation import Observation, Subject

PATCHED_SECONDS = 30.0
"""How long a turn of a patched binary may take. It fails over in milliseconds; the rest allows for a slow machine."""

STOCK_SECONDS = 15.0
"""A stock binary may wait for hours; after this time the drill reports that it is waiting."""

SMALL_CATALOGUE = {"drill": {"id": "drill", "name": "Drill", "env": [], "models": {}}}
"""The models catalogue of the shared server. The fakes are in the configuration, and reading the thousands of models of
the built-in catalogue would take a second for each project; OpenCode 2 could choose a provider from it that needs no
key. Commands that run beside the server use the built-in one.
"""


class Place(Protocol):
    """Where the scenarios of one drill run."""

    @property
    def subject(self) -> Subject:
        """The binary being drilled."""
        ...

    @property
    def left_out(self) -> Mapping[str, str]:
        """The scenarios that have no meaning for this binary, each with the reason."""
        ...

    def playable(self, scenarios: Sequence[Scenario]) -> Sequence[Scenario]:
        """These scenarios as the binary can play them, without those that are left out."""
        ...

    def cast(self, scenarios: Sequence[Scenario]) -> None:
        """Prepare for these scenarios. Called once, before any scenario runs."""
        ...

    def observe(self, scenario: Scenario, pace: Pace) -> Observation:
        """Run a scenario, with its times adapted to the machine. May be called by several threads, and again for the
        same scenario. Raises DrillError when the binary cannot be run.
        """
        ...


def observe(
    scenario: Scenario,
    subject: Subject,
    root: Path,
    *,
    template: Path | None = None,
    limit: float | None = None,
    pace: Pace | None = None,
    stop: threading.Event | None = None,
) -> Observation:
    """Run one scenario in its own home below ``root``, through ``opencode run`` unless it needs another command.

    ``template`` is the root of a home whose data are copied, which saves setting up the database. ``limit`` bounds each
    turn in seconds, by default PATCHED_SECONDS or STOCK_SECONDS at the machine's ``pace``; ``stop`` ends the run early.
    Raises DrillError when the binary cannot be run.
    """
    pace = pace or Pace()
    limit = limit or _limit(subject, pace)
    home = own_home(root, template)
    with staged(paced(scenario, pace), subject, home) as stage:
        match scenario.through:
            case Through.SERVE:
                with serving(subject.binary, home) as server:
                    return serve.observe(stage, server, limit=limit, pace=pace, stop=stop)
            case Through.SECOND_API:
                with serving(subject.binary, home) as server:
                    return second_api.observe(stage, server, limit=limit, stop=stop)
            case Through.ACP:
                return acp.observe(stage, exported(subject, home), limit=limit, pace=pace, stop=stop)
            case Through.RUN | Through.OPENCODE_2 | None:
                return run.observe(stage, exported(subject, home), limit=limit, stop=stop)


class _Place:
    """A place where every scenario can be played, without any preparation."""

    left_out: Mapping[str, str] = {}

    def playable(self, scenarios: Sequence[Scenario]) -> Sequence[Scenario]:
        return scenarios

    def cast(self, scenarios: Sequence[Scenario]) -> None:
        """There is nothing to prepare."""


class Isolated(_Place):
    """A separate home and process for each scenario: slow, but as close to a user's OpenCode as possible."""

    def __init__(self, binary: Path, root: Path, limit: float | None, stop: threading.Event) -> None:
        self._root = root
        self._template = root / "probe"
        self._limit = limit
        self._stop = stop
        self.subject = probe(binary, self._template)

    def observe(self, scenario: Scenario, pace: Pace) -> Observation:
        root = _unused(self._root / scenario.name)
        return observe(
            scenario,
            self.subject,
            root,
            template=self._template,
            limit=self._limit,
            pace=pace,
            stop=self._stop,
        )


@dataclass(eq=False)
class _OneServer(_Place):
    """One home and one server for all scenarios."""

    subject: Subject
    _server: OpenCodeServer
    _home: Home
    _host: Host
    _limit: float | None
    _stop: threading.Event
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def _tag(self) -> str:
        """A suffix that keeps the providers of one scenario apart from all others in this home, which stores health by
        provider id.
        """
        with self._lock:
            return f"-{next(self._numbers)}"


@dataclass(eq=False)
class Shared(_OneServer):
    """One home and one server for all scenarios.

    Those that are ``cast`` take turns in a few projects; all others, and repeated ones, get their own.
    """

    _cast: dict[str, Scenario] = field(default_factory=dict, init=False)
    _tags: dict[str, str] = field(default_factory=dict, init=False)
    _free: dict[str, list[Home]] = field(default_factory=dict, init=False)

    def cast(self, scenarios: Sequence[Scenario]) -> None:
        """Let these scenarios share projects, if they can run through a server. Called once, before any runs."""
        for scenario in scenarios:
            if scenario.through in {Through.SERVE, Through.SECOND_API, None} and not (
                scenario.settings or scenario.alone
            ):
                tag = self._tag()
                self._cast[tag] = scenario
                self._tags[scenario.name] = tag

    def observe(self, scenario: Scenario, pace: Pace) -> Observation:
        found = paced(scenario, pace)
        with self._lock:
            tag = self._tags.pop(scenario.name, None)
        if tag is None:
            home = self._project(scenario.name)
            with staged(found, self.subject, home, tag=self._tag(), host=self._host) as stage:
                return self._play(stage, pace)
        home = self._borrow(found.combined)
        with taking_over(found, self.subject, home, tag=tag, host=self._host) as stage:
            observation = self._play(stage, pace)
        # A turn that did not end in time may end later, and must not disturb the next scenario.
        if observation.code is not None:
            self._give_back(found.combined, home)
        return observation

    def _play(self, stage: Stage, pace: Pace) -> Observation:
        limit = self._limit or _limit(self.subject, pace)
        read = served(self._server.at(stage.home.work, stage.restore))
        match stage.scenario.through:
            case Through.RUN:
                return run.observe(stage, read, limit=limit, stop=self._stop)
            case Through.SECOND_API:
                return second_api.observe(stage, self._server, limit=limit, stop=self._stop)
            case Through.ACP:
                return acp.observe(stage, read, limit=limit, pace=pace, stop=self._stop)
            case Through.SERVE | Through.OPENCODE_2 | None:
                return serve.observe(stage, self._server, limit=limit, pace=pace, stop=self._stop)

    def _borrow(self, combined: Mapping[str, object]) -> Home:
        """An unused project with these settings."""
        with self._lock:
            free = self._free.get(_key(combined))
            if free:
                return free.pop()
        home = self._project("shared")
        start_project(home, shared_settings(self._cast, self._host, combined, priority=self.subject.patched))
        return home

    def _give_back(self, combined: Mapping[str, object], home: Home) -> None:
        with self._lock:
            self._free.setdefault(_key(combined), []).append(home)

    def _project(self, name: str) -> Home:
        """The home with a fresh project, which is not made yet."""
        with self._lock:
            path = _unused(self._home.root / "projects" / name)
            path.mkdir(parents=True)
        return self._home.at(str(path.relative_to(self._home.root)))


class Second(_OneServer):
    """One home and one server of OpenCode 2 for all scenarios, each with its own project."""

    left_out = LEFT_OUT

    def playable(self, scenarios: Sequence[Scenario]) -> Sequence[Scenario]:
        return playable(scenarios)

    def observe(self, scenario: Scenario, pace: Pace) -> Observation:
        limit, tag = self._limit or _limit(self.subject, pace), self._tag()
        if scenario.name in RESTARTED:
            home, variables = _furnished(_unused(self._home.root / "apart" / scenario.name))
            with staged(paced(scenario, pace), self.subject, home, tag=tag, host=self._host) as stage:
                return opencode_2_apart.observe_restart(stage, variables, limit=limit, pace=pace, stop=self._stop)
        home = self._home.at(f"projects/{scenario.name}{tag}")
        with staged(paced(scenario, pace), self.subject, home, tag=tag, host=self._host) as stage:
            if scenario.name in BY_RUN:
                return opencode_2_apart.observe_run(stage, self._server, limit=limit, pace=pace, stop=self._stop)
            return opencode_2.observe(stage, self._server, limit=limit, pace=pace, stop=self._stop)


@contextmanager
def place(binary: Path, root: Path, limit: float | None, stop: threading.Event, *, isolated: bool) -> Iterator[Place]:
    """Where to drill a binary, of either line. OpenCode 2 always runs in one server.

    Raises DrillError when the binary cannot be drilled, StoreError when the place cannot be written.
    """
    if not binary.is_file():
        raise not_drillable(binary, "It is not a file.")
    with scratch.directory("version") as asked:
        home = furnish(Home(root=asked), harmless())
        home.work.mkdir()
        version = version_of(f"v{opencode_2.version(binary, home)}")
    if lines.of_version(version) is lines.OPENCODE_2:
        with second(binary, root, limit, stop) as found:
            yield found
    elif isolated:
        yield Isolated(binary, root, limit, stop)
    else:
        with shared(binary, root, limit, stop) as first:
            yield first


@contextmanager
def second(binary: Path, root: Path, limit: float | None, stop: threading.Event) -> Iterator[Second]:
    """A home below ``root`` with a server of OpenCode 2, which ends with the block. Errors as ``place``."""
    home, variables = _furnished(root)
    with Host() as host, opencode_2.served(binary, home, variables) as server:
        yield Second(opencode_2.look(binary, server, home), server, home, host, limit, stop)


@contextmanager
def shared(binary: Path, root: Path, limit: float | None, stop: threading.Event) -> Iterator[Shared]:
    """A shared home below ``root`` with its server, which ends with the block.

    Raises DrillError when the binary cannot be drilled, StoreError when the place cannot be written.
    """
    home, variables = _furnished(root)
    with Host() as host, serving(binary, home, variables=variables) as server:
        yield Shared(look(binary, server, home), server, home, host, limit, stop)


def _furnished(root: Path) -> tuple[Home, Mapping[str, str]]:
    """A home below ``root`` for one server, and what is added to the server's environment."""
    home = furnish(Home(root=root), harmless())
    home.work.mkdir()
    catalogue = root / "models.json"
    files.write_json(catalogue, SMALL_CATALOGUE)
    return home, {"OPENCODE_MODELS_PATH": str(catalogue)}


def _key(combined: Mapping[str, object]) -> str:
    return json.dumps(dict(combined), sort_keys=True)


def _limit(subject: Subject, pace: Pace) -> float:
    return pace.scaled(PATCHED_SECONDS if subject.patched else STOCK_SECONDS)


def _unused(path: Path) -> Path:
    """The path, or one beside it if the scenario has run there before."""
    tries = (path if number == 1 else path.with_name(f"{path.name}-{number}") for number in itertools.count(1))
    return next(one for one in tries if not one.exists())
