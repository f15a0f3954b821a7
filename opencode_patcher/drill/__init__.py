"""Proves a binary: fake providers with faults, the real binary against them, and the verdict on what it did.

Data flows one way::

    scenarios (data) -> server (fake providers) + runner (the binary) -> Observation -> judge -> Report

``plan`` says what the model says, ``faults`` what goes wrong and where, ``protocol`` and its implementations
how that looks on the wire; a new scenario, fault or protocol touches only its own module.
"""

from opencode_patcher.drill.report import Report
from opencode_patcher.drill.suite import run, select

__all__ = ["Report", "run", "select"]
