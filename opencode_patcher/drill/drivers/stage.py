"""Where a scenario is played, whoever drives the binary: a home of its own and the fake providers that it knows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.drill.drivers.home import Home, configuration, prepare
from opencode_patcher.drill.fakes.exchange import Exchange
from opencode_patcher.drill.fakes.server import FakeProvider, serving
from opencode_patcher.drill.scenarios.quick import ALPHA
from opencode_patcher.drill.scenarios.scenario import MODEL, Scenario
from opencode_patcher.drill.verdict.observation import Target

COMBINED = "combined"
"""The id of the virtual provider."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A home that is ready, the ``model`` to ask for in it, and the providers, which answer."""

    home: Home
    model: str
    fakes: Sequence[FakeProvider]

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What was asked of all providers so far, in the order of arrival."""
        return tuple(sorted((one for fake in self.fakes for one in fake.exchanges), key=lambda one: one.arrived))


@contextmanager
def staged(scenario: Scenario, target: Target, root: Path, template: Path | None) -> Iterator[Stage]:
    """A stage for one scenario below ``root``; the providers answer as long as it lasts.

    ``template`` is the root of a home whose data are copied, which saves the set-up of the database.
    Raises StoreError when the place cannot be written, ProcessError when git fails.
    """
    if template:
        shutil.copytree(Home(root=template).home, Home(root=root).home, symlinks=True)
    model = combined_model(target, scenario)
    with serving(scenario) as fakes:
        urls = {fake.provider.id: fake.base_url for fake in fakes}
        settings = configuration(scenario.providers, urls, priority=target.patched, combined=scenario.combined)
        own = json.loads(json.dumps(dict(scenario.settings)).replace(MODEL, model))
        yield Stage(home=prepare(root, settings | own), model=model, fakes=fakes)


def combined_model(target: Target, scenario: Scenario) -> str:
    """The model to ask for: the combined one, which is named after the bare id of its members, or the first one's."""
    first = scenario.providers[0]
    if target.model is None:
        return f"{first.id}/{first.model}"
    return target.model if first.model == ALPHA.model else f"{COMBINED}/{first.model}"
