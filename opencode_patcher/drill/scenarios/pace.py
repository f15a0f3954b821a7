"""How slow the machine is, and a scenario whose times are stretched to match. Pure.

A loaded machine must not make a good binary look bad. The time of a healthy turn, measured before the drill, scales
every limit, and every time in a scenario in which OpenCode has to do something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.faults import Broken, Fault, HttpError, Slow
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.scenarios.scenario import Scenario

HEALTHY_SECONDS = 1.0
"""The longest a healthy turn with a tool takes on two idle cores; the times of all scenarios are meant for such a
machine.
"""

COOLDOWN_MS = 5_000
"""The feature's cooldown after one transient failure (templates/). On a slow machine it would end while the scenario
still relies on it.
"""

LONGEST_COOLDOWN_MS = 45_000
"""Well below the feature's longest wait for a member, a minute (templates/combined/turn/decide.ts): with a longer
cooldown, scenarios in which OpenCode has to wait would fail on a slow machine.
"""

SLOWEST = 20.0
"""The largest factor: a machine that is slower still cannot run the drill."""


@dataclass(frozen=True, order=True)
class Pace:
    """How many times slower than an idle reference machine this one is; at least 1, so that no time gets shorter."""

    factor: float = 1.0

    def scaled(self, seconds: float) -> float:
        """Seconds on the reference machine as seconds on this one."""
        return seconds * self.factor


def pace(healthy_seconds: float) -> Pace:
    """The pace of a machine on which a healthy turn with a tool takes this long."""
    return Pace(min(max(healthy_seconds / HEALTHY_SECONDS, 1.0), SLOWEST))


def paced(scenario: Scenario, pace: Pace) -> Scenario:
    """The scenario for a machine with that pace: pauses before a break, slow answers, time-outs, cooldowns and limits
    are longer.
    """
    if pace.factor == 1.0:
        return scenario
    expected = scenario.expected
    combined = {
        key: round(pace.scaled(value)) if isinstance(value, int) and key.endswith("_timeout") else value
        for key, value in scenario.combined.items()
    }
    if not any(_names_a_time(provider) for provider in scenario.providers):
        combined["cooldown"] = {"min": min(round(pace.scaled(COOLDOWN_MS)), LONGEST_COOLDOWN_MS)}
    return replace(
        scenario,
        providers=tuple(_provider(provider, pace) for provider in scenario.providers),
        expected=replace(expected, seconds=None if expected.seconds is None else pace.scaled(expected.seconds)),
        combined=combined,
    )


def _names_a_time(provider: ProviderSpec) -> bool:
    """Whether the provider says when it recovers, or recovers at a certain time."""
    faults = (*provider.faults, provider.then, *(one for faults in provider.others.values() for one in faults))
    return provider.outage is not None or any(isinstance(fault, HttpError) and fault.headers for fault in faults)


def _provider(provider: ProviderSpec, pace: Pace) -> ProviderSpec:
    others: Mapping[Purpose, tuple[Fault | None, ...]] = {
        purpose: tuple(_fault(fault, pace) for fault in faults) for purpose, faults in provider.others.items()
    }
    return replace(
        provider,
        faults=tuple(_fault(fault, pace) for fault in provider.faults),
        then=_fault(provider.then, pace),
        others=others,
    )


def _fault(fault: Fault | None, pace: Pace) -> Fault | None:
    match fault:
        case Broken():
            return replace(fault, pause=pace.scaled(fault.pause))
        case Slow():
            return replace(fault, seconds=pace.scaled(fault.seconds))
        case _:
            return fault
