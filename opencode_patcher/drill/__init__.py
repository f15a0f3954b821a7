"""Proves a binary: fake providers with faults, the real binary against them, and the verdict on what it did.

Data flows one way::

    scenarios (data) -> fakes (providers) + drivers (the binary) -> Observation -> judge -> Report

Five layers, each of which knows those above it in this list only:

- ``fakes``: providers that answer as a plan says and fail as a fault says. They know no scenario. A new protocol or
  fault touches only its own module.
- ``scenarios``: who answers what, and what must come of it. Plain data; ``quick`` is the set that every build passes.
- ``verdict``: what was seen, and what is wrong with it. Pure.
- ``drivers``: the real binary in a throw-away home, through ``opencode run``, ``serve`` or ``acp``.
- ``dispatch`` picks the driver and the home, ``suite`` plays all scenarios and reports.

Most scenarios run in one ``opencode serve``, several at a time, each with a project and providers of its own. Those
that are about another command, a restart or a second process start one.
"""

from opencode_patcher.drill.scenarios.selection import select
from opencode_patcher.drill.suite import run
from opencode_patcher.drill.verdict.report import Report

__all__ = ["Report", "run", "select"]
