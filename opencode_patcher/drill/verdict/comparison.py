"""The verdicts on several binaries side by side, as a table in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from opencode_patcher.base import documents
from opencode_patcher.base.errors import UsageError
from opencode_patcher.drill.fakes.wire import as_object, as_objects

Data = Mapping[str, object]
"""A report as ``report.as_json`` gives it."""


def read(path: Path) -> Data:
    """Read the output of ``verify --json``. Raises UsageError for any other file."""
    try:
        report = documents.read(path, dict[str, object])
    except documents.DocumentError as error:
        raise _not_a_report(path, str(error)) from error
    if "scenarios" not in report:
        raise _not_a_report(path, "It has no scenarios.")
    return report


def _not_a_report(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} is not the output of verify --json.",
        why=why,
        next_step=f"opencode-patcher verify --json > {path}",
    )


def markdown(reports: Sequence[Data]) -> str:
    """A row for each scenario of any report, in their order, and a column for each report: what was observed, in bold
    for a failure. The last row has the totals. Ends with a newline.
    """
    columns = [{str(row.get("name")): row for row in as_objects(report.get("scenarios"))} for report in reports]
    names = list(dict.fromkeys(name for column in columns for name in column))
    lines = [
        _line(["scenario", *(_heading(report) for report in reports)]),
        _line(["---"] * (len(reports) + 1)),
    ]
    for name in names:
        title = next(str(column[name].get("title")) for column in columns if name in column)
        lines.append(_line([title, *(_cell(column.get(name)) for column in columns)]))
    counts = [f"{sum(row.get('passed') is True for row in column.values())} of {len(column)}" for column in columns]
    lines.append(_line(["**passed**", *(f"**{count}**" for count in counts)]))
    times = [as_object(report.get("failover_ms")) for report in reports]
    if any(times):
        cells = [f"{_ms(one.get('median'))} median, {_ms(one.get('worst'))} worst" if one else "" for one in times]
        lines.append(_line(["next provider's request", *cells]))
    return "\n".join(lines) + "\n"


def _heading(report: Data) -> str:
    return f"OpenCode {report.get('version')} {'patched' if report.get('patched') else 'stock'}"


def _cell(row: Data | None) -> str:
    if row is None:
        return ""
    seen = str(row.get("seen"))
    return seen if row.get("passed") is True else f"**failed:** {seen}"


def _ms(value: object) -> str:
    return f"{value:.0f} ms" if isinstance(value, int | float) else "?"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
