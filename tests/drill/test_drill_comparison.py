from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from opencode_patcher.base.errors import UsageError
from opencode_patcher.cli.compare import command
from opencode_patcher.drill.verdict.comparison import markdown
from opencode_patcher.drill.verdict.judge import judge
from opencode_patcher.drill.verdict.report import Report, as_json
from tests.drill.drill_samples import greeted, tooled

PATCHED = Report(
    binary=Path("/x"), version="1.18.3", patched=True, verdicts=(judge(greeted()), judge(tooled())), seconds=1
)
WAITING = replace(greeted(), exchanges=greeted().exchanges[:1], events=(), code=None, limit=15, session=None)
STOCK = replace(PATCHED, patched=False, verdicts=(judge(WAITING),))


def test_the_columns_stand_side_by_side() -> None:
    lines = markdown([as_json(PATCHED), as_json(STOCK)]).splitlines()
    assert lines[0] == "| scenario | OpenCode 1.18.3 patched | OpenCode 1.18.3 stock |"
    assert "| 503 overloaded | served by beta | **failed:** still waiting after 15 s |" in lines
    assert any(
        line.startswith("| cut after a tool call | served by alpha, then beta; the tool ran once |  |")
        for line in lines
    )
    assert "| **passed** | **2 of 2** | **0 of 1** |" in lines
    assert lines[-1].startswith("| next provider's request | 70 ms median, 100 ms worst |")
    assert len({line.count(" | ") for line in lines}) == 1


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    row = replace(judge(greeted()), title="a | b")
    assert "a \\| b" in markdown([as_json(replace(PATCHED, verdicts=(row,)))])


def test_saved_reports_are_compared_without_a_run(tmp_path: Path) -> None:
    for name, report in (("patched.json", PATCHED), ("stock.json", STOCK)):
        (tmp_path / name).write_text(json.dumps(as_json(report)))
    result = CliRunner().invoke(command, [str(tmp_path / "patched.json"), str(tmp_path / "stock.json")])
    assert result.exit_code == 0
    assert "**2 of 2**" in result.stdout


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_what_is_not_a_report_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    result = CliRunner().invoke(command, [str(path)])
    assert isinstance(result.exception, UsageError)
    assert "verify --json >" in result.exception.next_step
