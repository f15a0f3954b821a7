"""Tests a binary: runs it against fake providers that fail, and judges what it does.

Data flows one way::

    scenarios (data) -> fakes (providers) + drivers (the binary) -> Observation -> judge -> Report

Five layers; each knows only those above it in this list:

- ``fakes``: providers that answer as a plan says and fail as a fault says. They know nothing of scenarios. A new
protocol or fault only needs its own module.
- ``scenarios``: who answers what, and the expected result. Plain data; ``quick`` is the set that every build must pass.
- ``verdict``: what happened, and what is wrong with it. Pure.
- ``drivers``: the real binary in a temporary home, through ``opencode run``, ``serve`` or ``acp``.
- ``dispatch`` picks the driver and the home, ``suite`` runs all scenarios and reports.

Most scenarios run in one ``opencode serve``, several at a time, each with its own project and providers. Those about
another command, a restart or a second process start one.
"""

from opencode_patcher.drill.scenarios.selection import select
from opencode_patcher.drill.suite import run
from opencode_patcher.drill.verdict.report import Report

__all__ = ["Report", "run", "select"]
