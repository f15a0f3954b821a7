"""Proves a binary: fake providers with faults, the real binary against them, and the verdict on what it did.

Data flows one way::

    scenarios (data) -> server (fake providers) + runner (the binary) -> Observation -> judge -> Report

``plan`` says what the model says, ``faults`` what goes wrong and where, ``protocol`` and its implementations
how that looks on the wire; a new scenario, fault or protocol touches only its own module.

``scenarios`` is the quick set that every build must pass; ``bench_scenarios``, ``agent_scenarios``,
``protocol_scenarios`` and ``way_scenarios`` complete it for ``verify``.

``runner`` drives ``opencode run``, ``serve_runner``
a server, for what needs a cancel, a summary, a second process or a client that sees text go away again, and
``acp_runner`` an agent as an editor starts it.
"""

from opencode_patcher.drill.suite import run, select
from opencode_patcher.drill.verdict.report import Report

__all__ = ["Report", "run", "select"]
