"""All scenarios, and choosing them by name."""

from __future__ import annotations

from collections.abc import Sequence

from opencode_patcher.base.errors import UsageError
from opencode_patcher.base.text import did_you_mean
from opencode_patcher.drill.scenarios.agents import AGENT_SCENARIOS
from opencode_patcher.drill.scenarios.benchmark import BENCH_SCENARIOS
from opencode_patcher.drill.scenarios.chains import CHAIN_SCENARIOS
from opencode_patcher.drill.scenarios.entry_points import WAY_SCENARIOS
from opencode_patcher.drill.scenarios.money import MONEY_SCENARIOS
from opencode_patcher.drill.scenarios.protocols import PROTOCOL_SCENARIOS
from opencode_patcher.drill.scenarios.quick import SCENARIOS
from opencode_patcher.drill.scenarios.scenario import Scenario
from opencode_patcher.drill.scenarios.steering import STEERING_SCENARIOS
from opencode_patcher.drill.scenarios.waits import WAIT_SCENARIOS

ALL_SCENARIOS = (
    *SCENARIOS,
    *BENCH_SCENARIOS,
    *AGENT_SCENARIOS,
    *PROTOCOL_SCENARIOS,
    *WAY_SCENARIOS,
    *CHAIN_SCENARIOS,
    *MONEY_SCENARIOS,
    *WAIT_SCENARIOS,
    *STEERING_SCENARIOS,
)
"""The quick set, the public benchmark's, those for agents, protocols, other entry points, chains, money, waits and
steering, in the table's order."""


def select(names: Sequence[str], *, quick: bool = False) -> tuple[Scenario, ...]:
    """The scenarios with these names, in the table's order; without names all of them, or with ``quick`` the quick set.
    Raises UsageError with the nearest name for an unknown one.
    """
    if not names:
        return SCENARIOS if quick else ALL_SCENARIOS
    known = {scenario.name: scenario for scenario in ALL_SCENARIOS}
    for name in names:
        if name not in known:
            raise UsageError(
                f"There is no scenario {name!r}.",
                why=did_you_mean(name, known),
                next_step="Scenarios: " + ", ".join(known),
            )
    return tuple(scenario for scenario in ALL_SCENARIOS if scenario.name in names)
