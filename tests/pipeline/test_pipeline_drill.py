"""The drill on the small upstream, with the patches and without: it passes the one and fails the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opencode_patcher import drill
from opencode_patcher.base.store import Store
from opencode_patcher.drill import suite
from opencode_patcher.drill.scenarios.quick import SCENARIOS
from opencode_patcher.drill.verdict.judge import Verdict
from opencode_patcher.drill.verdict.report import Report
from opencode_patcher.pipeline import Built
from tests.pipeline.small_upstream import build

LIMIT_SECONDS = 12.0
"""The unpatched program waits 2 s before it asks the same provider again, and for hours when told to."""

AT_A_TIME = 5
"""Most of these scenarios wait: for a pause, a time-out, a tool."""


@pytest.fixture(scope="module", autouse=True)
def at_a_time() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suite, "ISOLATED_AT_A_TIME", AT_A_TIME)
        yield


@pytest.fixture(scope="module")
def patched(built_demo: Built) -> Report:
    return drill.run(built_demo.binary, isolated=True)


@pytest.mark.parametrize("scenario", [scenario.name for scenario in SCENARIOS])
def test_the_patched_program_passes(patched: Report, scenario: str) -> None:
    [row] = [row for row in patched.verdicts if row.scenario == scenario]

    assert row.failures == ()


def test_the_patched_program_is_recognised_as_patched(patched: Report) -> None:
    assert patched.patched
    assert patched.version == "1.0.0"


@pytest.fixture
def stock(store: Store, unpatched: dict[str, Path]) -> dict[str, Verdict]:
    binary = build(store, **unpatched).binary
    names = ("healthy", "429", "429-ten-hours", "cut-in-text", "cut-after-tool")
    report = drill.run(binary, drill.select(names), limit=LIMIT_SECONDS, isolated=True)
    assert not report.patched
    return {row.scenario: row for row in report.verdicts}


def test_the_unpatched_program_fails_in_its_own_ways(stock: dict[str, Verdict]) -> None:
    assert stock["healthy"].passed
    assert "asked the same provider again" in stock["429"].seen
    assert "still waiting" in stock["429-ten-hours"].seen
    assert "parts of the failed attempt left" in stock["cut-in-text"].seen
    assert "the tool ran 2 times" in stock["cut-after-tool"].seen
    assert [name for name, row in stock.items() if not row.passed] == [
        "429",
        "429-ten-hours",
        "cut-in-text",
        "cut-after-tool",
    ]
