"""The drift report as a file: HTML, Markdown or SVG, from the templates in ``templates/reports/``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from opencode_patcher.base import files, resources
from opencode_patcher.base.errors import UsageError
from opencode_patcher.base.text import shown_lines
from opencode_patcher.patchset.check import PatchStatus
from opencode_patcher.patchset.render import render_document
from opencode_patcher.upkeep.matrix import GOOD, LOOK, MARKS, UNCHECKED, Matrix, Row, groups, label, legend

FORMATS = (".html", ".md", ".svg")

_COLOURS: Mapping[PatchStatus, str] = {
    PatchStatus.APPLIES: "good",
    PatchStatus.ALREADY: "good",
    PatchStatus.NEW_PLACE: "shifted",
    PatchStatus.MOVED: "shifted",
    PatchStatus.NOT_NEEDED: "none",
}
"""Classes in the templates' style sheets; any other state is bad."""

_MARK_COLOURS: Mapping[str, str] = {GOOD: "good", LOOK: "look", UNCHECKED: "none"}

_LEFT, _TOP, _COLUMN, _LINE = 210, 130, 34, 24
"""The picture's sizes, in pixels: space for the names of releases and patches, and a cell."""


def require_format(path: Path) -> None:
    """Raises UsageError when the name of ``path`` ends in none of ``FORMATS``."""
    if path.suffix not in FORMATS:
        raise UsageError(
            f"A report cannot be written as {path.name}.",
            why=f"Its name has to end in {', '.join(FORMATS)}.",
            next_step=f"Try: --report {path.with_suffix('.html')}",
        )


def write(report: Matrix, path: Path) -> None:
    """Write the report in the format of the file's ending. Raises UsageError for another one, and StoreError."""
    files.write_text(path, render(report, path, resources.templates()))


def render(report: Matrix, path: Path, templates: Path) -> str:
    """The report in the format that the name of ``path`` asks for. Raises UsageError for another ending, and PatchError
    when the template is wrong.
    """
    require_format(path)
    template = templates / "reports" / f"check{path.suffix}.j2"
    text = template.read_text(encoding="utf-8")
    name = template.relative_to(templates).as_posix()
    return render_document(name, text, _values(report), template.parent, escape=path.suffix != ".md")


def _values(report: Matrix) -> dict[str, object]:
    """What the templates may use, as plain data."""
    grouped = groups(report)
    columns = [*report.patches, *MARKS]
    right = _LEFT + _COLUMN * len(columns)
    return {
        "summary": report.summary,
        "columns": [{"name": name, "x": _LEFT + _COLUMN * column + 20} for column, name in enumerate(columns)],
        "legend": [f"{symbol} {meaning}" for symbol, meaning in legend(report)],
        "rows": [
            {"tag": row.tag, "verdict": str(row.verdict), "colour": _colour(report, row), "cells": _cells(row)}
            for row in reversed(report.rows)
        ],
        "failed": [
            {"tag": row.tag, "problems": list(map(_paragraph, row.problems))} for row in reversed(report.failed)
        ],
        "differing": [
            {"label": label(group), "differences": list(map(_paragraph, group[0].differences))}
            for group in reversed(grouped)
            if group[0].differences
        ],
        "groups": [
            {
                "label": label(group),
                "verdict": str(group[0].verdict),
                "cells": _cells(group[0]),
                "y": _TOP + _LINE * line,
            }
            for line, group in enumerate(grouped)
        ],
        "verdict_x": right + 10,
        "width": right + 280,
        "height": _TOP + _LINE * len(grouped) + 60,
    }


def _colour(report: Matrix, row: Row) -> str:
    if row in report.failed:
        return "bad"
    return "look" if row in report.differing else "none"


def _cells(row: Row) -> list[dict[str, object]]:
    """The patches of a release, then its other checks."""
    patches: list[tuple[str, str, str, tuple[str, ...]]] = [
        (cell.symbol, str(cell.state), _COLOURS.get(cell.state, "bad"), cell.places) for cell in row.cells
    ]
    marks = [(mark, title, _MARK_COLOURS.get(mark, "bad"), ()) for mark, title in zip(row.marks, MARKS, strict=True)]
    return [
        {
            "symbol": symbol,
            "state": state,
            "colour": colour,
            "places": [shown_lines(place) for place in places],
            "x": _LEFT + _COLUMN * column,
        }
        for column, (symbol, state, colour, places) in enumerate([*patches, *marks])
    ]


def _paragraph(text: str) -> dict[str, object]:
    """``fenced`` is a Markdown code block that nothing in the text can end."""
    shown = shown_lines(text)
    fence = "`" * (1 + max([3, *(len(run) for run in re.findall("`+", shown))]))
    return {"text": shown, "fenced": f"{fence}text\n{shown}\n{fence}"}
