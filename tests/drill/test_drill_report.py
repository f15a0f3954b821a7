from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from opencode_patcher.drill.verdict.judge import judge
from opencode_patcher.drill.verdict.report import HEADINGS, Report, as_json, summary, table_rows
from tests.drill.drill_samples import greeted, tooled

GOOD = judge(greeted())
BAD = judge(replace(tooled(), effects=2))
REPORT = Report(binary=Path("/x/opencode"), version="1.18.3", patched=True, verdicts=(GOOD, BAD), seconds=12.345)


def test_a_report_passes_only_when_every_row_does() -> None:
    assert not REPORT.passed
    assert REPORT.failed == (BAD,)
    assert replace(REPORT, verdicts=(GOOD,)).passed


def test_the_json_has_every_verdict_with_its_reasons() -> None:
    data = json.loads(json.dumps(as_json(REPORT)))
    assert data["passed"] is False
    assert data["failover_ms"] == {"median": 70.0, "worst": 100.0}
    good, bad = data["scenarios"]
    assert (good["name"], good["passed"], good["failures"], good["failover_ms"]) == ("503", True, [], 40.0)
    assert bad["failures"] == ["the tool ran 2 times instead of the tool ran once"]


def test_the_table_has_a_cell_for_each_heading() -> None:
    good, bad = table_rows(REPORT)
    assert len(good) == len(bad) == len(HEADINGS)
    assert good == ("503 overloaded", "served by beta", "served by beta", "40 ms", "passed")
    assert bad[-1] == "FAILED"


def test_the_summary_is_one_sentence() -> None:
    assert summary(REPORT) == (
        "OpenCode 1.18.3 (patched): 1 of 2 scenarios passed; next provider's request after 70 ms (median), "
        "100 ms (worst)."
    )
    untimed = replace(REPORT, patched=False, verdicts=(replace(GOOD, failover_ms=None),))
    assert summary(untimed) == "OpenCode 1.18.3 (stock): 1 of 1 scenarios passed."
    assert as_json(untimed)["failover_ms"] is None
