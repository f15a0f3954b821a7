"""The drift report: releases against patches as a matrix, and what does not fit.

``text`` shows it in a terminal, ``as_data`` gives it to machines, and ``report_file`` writes it to a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opencode_patcher.patchset.check import FileCheck, PatchStatus, ReleaseCheck
from opencode_patcher.upkeep.release_check import Fit

SYMBOLS: Mapping[PatchStatus, str] = {
    PatchStatus.APPLIES: "✓",
    PatchStatus.NEW_PLACE: "↕",
    PatchStatus.MOVED: "↷",
    PatchStatus.ALREADY: "=",
    PatchStatus.NOT_NEEDED: "·",
    PatchStatus.CONFLICT: "✗",
    PatchStatus.GONE: "∅",
}
"""One character for each state, so that forty releases fit on a screen."""

MARKS = ("text", "names", "meaning")
"""What a release is checked for, besides the patches: a place for each hunk, the upstream names that our code uses, and
whether the code can do there what it is meant to.
"""

GOOD, BAD, LOOK, UNCHECKED = "✓", "✗", "!", "·"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One patch in one release. ``places`` are lines for people: where each hunk goes."""

    state: PatchStatus
    symbol: str
    places: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One release: ``cells`` in the order of ``Report.patches``, ``marks`` in that of ``MARKS``. ``problems`` and
    ``differences`` (what to look at) are paragraphs of several lines.
    """

    tag: str
    verdict: Fit
    cells: tuple[Cell, ...]
    marks: tuple[str, ...]
    problems: tuple[str, ...]
    differences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """The whole matrix, oldest release first."""

    patches: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def failed(self) -> tuple[Row, ...]:
        """The releases that fail."""
        return tuple(row for row in self.rows if row.verdict is Fit.FAILS)

    @property
    def differing(self) -> tuple[Row, ...]:
        """The releases that somebody has to look at before they can be said to fit."""
        return tuple(row for row in self.rows if row.verdict is Fit.DIFFERS)

    @property
    def summary(self) -> str:
        """What was checked and how many releases fit, in a few sentences."""
        judged = [row for row in self.rows if row.verdict is not Fit.TOO_OLD]
        older = len(self.rows) - len(judged)
        fitting = sum(row.verdict is Fit.FITS for row in judged)
        applying = sum(row.verdict is Fit.APPLIES for row in judged)
        said = [f"{fitting} of {len(judged)} releases fit in text, names and meaning."]
        if applying:
            said.append(f"The patches apply to {applying} more that are too old to build.")
        if self.differing:
            said.append(f"{len(self.differing)} differ in code that the feature relies on.")
        if older:
            said.append(f"{older} are older than the support window and were not judged.")
        said.append("Nothing was built or run; the drill does that.")
        return " ".join(said)


def make(checks: Sequence[tuple[ReleaseCheck, Fit]]) -> Matrix:
    """The report of checks and how they were judged, oldest release first."""
    ordered = sorted(checks, key=lambda pair: pair[0].version)
    patches = tuple(patch.patch for patch in ordered[0][0].patches) if ordered else ()
    return Matrix(patches=patches, rows=tuple(_row(check, verdict) for check, verdict in ordered))


def without_fitting(report: Matrix) -> Matrix:
    """The report of only those releases that fail or need a look."""
    return replace(report, rows=tuple(row for row in report.rows if row in (*report.failed, *report.differing)))


def groups(report: Matrix) -> tuple[tuple[Row, ...], ...]:
    """Neighbouring releases with the same result."""
    found: list[list[Row]] = []
    for row in report.rows:
        if found and _looks(found[-1][0]) == _looks(row):
            found[-1].append(row)
        else:
            found.append([row])
    return tuple(map(tuple, found))


def legend(report: Matrix) -> tuple[tuple[str, str], ...]:
    """Symbol and meaning of the states that occur."""
    seen = {cell.state for row in report.rows for cell in row.cells}
    return tuple((symbol, str(state)) for state, symbol in SYMBOLS.items() if state in seen)


def text(report: Matrix) -> str:
    """The matrix for a terminal: neighbouring releases with the same result share a line."""
    names = [label(group) for group in groups(report)]
    width = max(map(len, [*names, "release"]))
    numbers = [str(number) for number, _ in enumerate(report.patches, 1)]
    lines = [f"{'release':<{width}}  {' '.join(f'{number:>2}' for number in numbers)}  {'  '.join(MARKS)}"]
    for name, group in zip(names, groups(report), strict=True):
        cells = " ".join(f"{cell.symbol:>2}" for cell in group[0].cells)
        marks = "  ".join(f"{mark:^{len(title)}}" for mark, title in zip(group[0].marks, MARKS, strict=True))
        lines.append(f"{name:<{width}}  {cells}  {marks}  {group[0].verdict}")
    lines.append("")
    lines.append("  ".join(f"{number} {name}" for number, name in zip(numbers, report.patches, strict=True)))
    lines.append("  ".join(f"{symbol} {meaning}" for symbol, meaning in legend(report)))
    for row in report.failed:
        lines += ["", f"{row.tag} fails:"]
        lines += [f"  {line}" for problem in row.problems for line in problem.splitlines()]
    if looked := differences(report):
        lines += ["", looked]
    lines += ["", report.summary]
    return "\n".join(lines)


def differences(report: Matrix) -> str:
    """What to look at, by releases; "" for nothing."""
    lines: list[str] = []
    for group in groups(report):
        if group[0].differences:
            lines += [*([""] if lines else []), f"Changes to review in {label(group)}:"]
            lines += [f"  {line}" for paragraph in group[0].differences for line in paragraph.splitlines()]
    return "\n".join(lines)


def as_data(found: ReleaseCheck, verdict: Fit) -> dict[str, object]:
    """A check for machines."""
    return {
        "tag": found.tag,
        "verdict": verdict.name.lower().replace("_", "-"),
        "patches": [
            {"name": patch.patch, "state": str(patch.state), "files": [_file_data(file) for file in patch.files]}
            for patch in found.patches
        ],
        "marks": dict(zip(MARKS, map(str, _marks(found)), strict=True)),
        "missing": [{"file": name.file, "name": name.what} for name in found.missing],
        "flaws": [
            {"file": flaw.file, "line": flaw.line, "function": flaw.function, "what": flaw.what} for flaw in found.flaws
        ],
        "differences": [
            {
                "name": item.expectation.name,
                "place": item.place,
                "found": item.found,
                "why": item.expectation.why,
                "look": item.expectation.look,
            }
            for item in found.differences
        ],
        "problems": list(found.problems),
    }


def _file_data(file: FileCheck) -> dict[str, object]:
    return {
        "target": file.target,
        "path": file.path,
        "state": str(file.state),
        "hunks": [
            {"hunk": at.hunk, "line": at.line, "function": at.function, "offset": at.offset, "already": at.already}
            for at in file.placements
        ],
        "misfits": [
            {
                "hunk": misfit.hunk.number,
                "reason": str(misfit.reason),
                "detail": misfit.detail,
                "found": [{"line": line, "function": function} for line, function in misfit.found],
            }
            for misfit in file.misfits
        ],
        "explanation": file.explanation,
    }


def _row(check: ReleaseCheck, verdict: Fit) -> Row:
    problems = [
        f"{patch.patch}: {patch.state}\n{file.explanation}"
        for patch in check.patches
        for file in patch.files
        if not file.state.fits
    ]
    problems += check.problems
    if check.missing:
        used = "\n".join(f"{name.file} uses {name.what}" for name in check.missing)
        problems.append(f"Names that no longer exist:\n{used}")
    problems += [f"It fits but cannot work:\n{flaw}" for flaw in check.flaws]
    cells = tuple(
        Cell(state=patch.state, symbol=SYMBOLS[patch.state], places=tuple(_places(patch.files)))
        for patch in check.patches
    )
    return Row(
        tag=check.tag,
        verdict=verdict,
        cells=cells,
        marks=_marks(check),
        problems=tuple(problems),
        differences=tuple(map(str, check.differences)),
    )


def _marks(check: ReleaseCheck) -> tuple[str, ...]:
    """One symbol for each of ``MARKS``. Unless each hunk has a place, nothing can be said about the rest."""
    if not check.applies:
        return (BAD, UNCHECKED, UNCHECKED)
    meaning = BAD if check.flaws else LOOK if check.differences else GOOD
    return (GOOD, BAD if check.missing else GOOD, meaning)


def _places(files: Sequence[FileCheck]) -> list[str]:
    lines: list[str] = []
    for file in files:
        lines += [
            f"{at.path}:{at.line} in {at.function or 'the top level'}{f' ({at.offset:+d})' if at.offset else ''}"
            for at in file.placements
        ]
        if file.state is PatchStatus.MOVED:
            lines += file.explanation.splitlines()
    return lines


def _looks(row: Row) -> tuple[object, ...]:
    return (row.verdict, [cell.symbol for cell in row.cells], row.marks, row.problems, row.differences)


def label(group: Sequence[Row]) -> str:
    """The label of a group of releases."""
    if len(group) == 1:
        return group[0].tag
    return f"{group[0].tag} … {group[-1].tag} ({len(group)})"
