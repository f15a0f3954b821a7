"""The verdicts on one binary: as data for machines, and as rows for a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from opencode_patcher.drill.verdict.judge import Row

HEADINGS = ("scenario", "expected", "seen", "next request", "verdict")
"""The columns of ``table_rows``."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the drill found about one binary. ``seconds`` is the wall time of the whole drill."""

    binary: Path
    version: str
    patched: bool
    rows: tuple[Row, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        return all(row.passed for row in self.rows)

    @property
    def failed(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.passed)

    @property
    def failover_ms(self) -> tuple[float, ...]:
        """The measured times from a failure to the next provider's request, shortest first."""
        return tuple(sorted(row.failover_ms for row in self.rows if row.failover_ms is not None))


def as_json(report: Report) -> Mapping[str, object]:
    """The report as JSON data. Times in milliseconds are floats; null where nothing could be measured."""
    times = report.failover_ms
    return {
        "binary": str(report.binary),
        "version": report.version,
        "patched": report.patched,
        "passed": report.passed,
        "seconds": round(report.seconds, 2),
        "failover_ms": {"median": _rounded(median(times)), "worst": _rounded(times[-1])} if times else None,
        "scenarios": [
            {
                "name": row.scenario,
                "title": row.title,
                "expected": row.expected,
                "seen": row.seen,
                "passed": row.passed,
                "failures": list(row.failures),
                "failover_ms": _rounded(row.failover_ms),
            }
            for row in report.rows
        ],
    }


def table_rows(report: Report) -> tuple[tuple[str, ...], ...]:
    """The cells below ``HEADINGS``, as plain text."""
    return tuple(
        (
            row.title,
            row.expected,
            row.seen,
            "" if row.failover_ms is None else f"{row.failover_ms:.0f} ms",
            "passed" if row.passed else "FAILED",
        )
        for row in report.rows
    )


def summary(report: Report) -> str:
    """One sentence about the whole drill."""
    kind = "patched" if report.patched else "stock"
    passed = len(report.rows) - len(report.failed)
    text = f"OpenCode {report.version} ({kind}): {passed} of {len(report.rows)} scenarios passed"
    if times := report.failover_ms:
        text += f"; next provider's request after {median(times):.0f} ms (median), {times[-1]:.0f} ms (worst)"
    return text + "."


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
