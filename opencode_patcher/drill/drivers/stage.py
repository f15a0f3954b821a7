"""Where a scenario runs, with any driver: a project, and the fake providers it is configured with.

A scenario has its own project, or takes over another's: in the first turn in a fresh project, OpenCode starts git about
forty times. A shared project has the providers of all scenarios, under unique ids, and a group for each scenario.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.drill.drivers.home import Home, configuration, furnish, harmless, start_project
from opencode_patcher.drill.drivers.probe import COMBINED
from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.exchange import Exchange
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.server import Host, serving
from opencode_patcher.drill.fakes.tools import FinishedTools
from opencode_patcher.drill.scenarios.quick import ALPHA
from opencode_patcher.drill.scenarios.scenario import EFFECTS, Scenario
from opencode_patcher.drill.verdict.observation import Subject


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A ready project, the ``model`` to ask for in it, and the running providers.

    OpenCode knows the providers by their ids followed by ``tag``. The driver tells ``tools`` which tool calls have
    finished.
    """

    scenario: Scenario
    subject: Subject
    home: Home
    model: str
    tag: str
    fakes: Sequence[FakeProvider]
    tools: FinishedTools

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The requests to all providers so far, in order of arrival."""
        return tuple(sorted((one for fake in self.fakes for one in fake.exchanges), key=lambda one: one.arrived))

    @property
    def is_cancellable(self) -> bool:
        """Whether the turn has reached the point at which the scenario cancels it: every provider that a patched binary
        asks has been asked.
        """
        seen = Counter(exchange.provider for exchange in self.exchanges if exchange.purpose is Purpose.TURN)
        wanted = self.scenario.expected.requests if self.subject.patched else {}
        return seen.total() > 0 and all(seen[provider] >= count for provider, count in wanted.items())

    def restore(self, text: str) -> str:
        """OpenCode's output, with the scenario's names for the providers."""
        if not self.tag:
            return text
        names = "|".join(re.escape(provider.id) for provider in self.scenario.providers)
        # No boundary in front: in JSON an id may follow the letter of an escape, as in \n.
        return re.sub(rf"({names}){re.escape(self.tag)}\b", r"\1", text)


@contextmanager
def staged(
    scenario: Scenario, subject: Subject, home: Home, *, tag: str = "", host: Host | None = None
) -> Iterator[Stage]:
    """A stage in the project of ``home``, which is made. The providers answer until the block ends.

    ``tag`` keeps the health of the providers apart from that of others in the same home. It begins with a hyphen.
    Raises StoreError when the place cannot be written, ProcessError when git fails.
    """
    tools = FinishedTools()
    with serving(scenario.providers, scenario.asked, tools, host=host, tag=tag) as fakes:
        model = _model(subject, scenario, tag)
        urls = {fake.provider.id: fake.base_url for fake in fakes}
        combined = scenario.filled(scenario.combined, tag=tag, model=model)
        if scenario.group is not None:
            combined["groups"] = {scenario.providers[0].model: _members(scenario, tag)}
        settings = configuration(scenario.providers, urls, priority=subject.patched, combined=combined, tag=tag)
        start_project(home, settings | scenario.filled(scenario.settings, tag=tag, model=model))
        yield Stage(scenario=scenario, subject=subject, home=home, model=model, tag=tag, fakes=fakes, tools=tools)


@contextmanager
def taking_over(scenario: Scenario, subject: Subject, home: Home, *, tag: str, host: Host) -> Iterator[Stage]:
    """A stage in the project of ``home``, which was made with ``shared_settings`` and is otherwise unused."""
    (home.work / EFFECTS).unlink(missing_ok=True)
    tools = FinishedTools()
    first = scenario.providers[0]
    model = f"{COMBINED}/{_group(tag)}" if subject.patched else f"{first.id}{tag}/{first.model}"
    with serving(scenario.providers, scenario.asked, tools, host=host, tag=tag) as fakes:
        yield Stage(scenario=scenario, subject=subject, home=home, model=model, tag=tag, fakes=fakes, tools=tools)


def shared_settings(
    scenarios: Mapping[str, Scenario], host: Host, combined: Mapping[str, object], *, priority: bool
) -> dict[str, object]:
    """The opencode.json of a project for all these scenarios, by their tags. ``combined`` is the key of that name,
    without groups. With ``priority`` it has the keys that a stock binary refuses.
    """
    every = [
        configuration(
            scenario.providers,
            {provider.id: host.base_url(provider, tag) for provider in scenario.providers},
            priority=priority,
            tag=tag,
        )
        for tag, scenario in scenarios.items()
    ]
    settings = harmless() | {"provider": {id: one for found in every for id, one in _providers(found).items()}}
    if priority:
        settings["provider_priority"] = [id for found in every for id in _providers(found)]
        groups = {_group(tag): _members(scenario, tag) for tag, scenario in scenarios.items()}
        settings["combined"] = {**combined, "groups": groups}
    return settings


def own_home(root: Path, template: Path | None = None) -> Home:
    """A home for one scenario alone. ``template`` is the root of a home whose data are copied, which saves setting up
    the database. Raises StoreError when the place cannot be written.
    """
    if template:
        shutil.copytree(Home(root=template).home, Home(root=root).home, symlinks=True)
    return furnish(Home(root=root), harmless())


def _providers(settings: Mapping[str, object]) -> Mapping[str, object]:
    found = settings["provider"]
    assert isinstance(found, Mapping)
    return found


def _members(scenario: Scenario, tag: str) -> object:
    """The group of a scenario, as opencode.json has it."""
    models = [f"{provider.id}{tag}/{provider.model}" for provider in scenario.providers]
    return {"models": models, **scenario.group} if scenario.group else models


def _group(tag: str) -> str:
    """The group of a scenario in a shared project."""
    return f"drill{tag}"


def _model(subject: Subject, scenario: Scenario, tag: str) -> str:
    """The model to ask for: the combined one, which has the bare id of its members, or the first provider's own."""
    first = scenario.providers[0]
    if subject.model is None or scenario.alone:
        return f"{first.id}{tag}/{first.model}"
    return subject.model if first.model == ALPHA.model else f"{COMBINED}/{first.model}"
