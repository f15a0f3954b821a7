"""The verdicts on one binary: as data for machines, and as rows for a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from opencode_patcher.drill.verdict.judge import Verdict

HEADINGS = ("scenario", "expected", "seen", "next request", "verdict")
"""The columns of ``table_rows``."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The drill's result for one binary. ``seconds`` is the wall time of the whole drill, ``healthy_seconds`` that of a
    healthy turn, on which the limits are based; None when it was not measured. ``left_out`` are scenarios that do not
    apply to this binary, by name, each with the reason.
    """

    binary: Path
    version: str
    patched: bool
    verdicts: tuple[Verdict, ...]
    seconds: float
    healthy_seconds: float | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def failed(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if not verdict.passed)

    @property
    def failover_ms(self) -> tuple[float, ...]:
        """The measured times from a failure to the next provider's request, shortest first."""
        return tuple(sorted(one.failover_ms for one in self.verdicts if one.failover_ms is not None))

    @property
    def repeated(self) -> tuple[Verdict, ...]:
        """Those that were repeated alone because the first try was only too slow."""
        return tuple(verdict for verdict in self.verdicts if verdict.first_try)


def as_json(report: Report) -> Mapping[str, object]:
    """The report as JSON data. Times in milliseconds are floats; null where nothing could be measured."""
    times = report.failover_ms
    return {
        "binary": str(report.binary),
        "version": report.version,
        "patched": report.patched,
        "passed": report.passed,
        "seconds": round(report.seconds, 2),
        "healthy_turn_ms": None if report.healthy_seconds is None else round(report.healthy_seconds * 1000, 1),
        "failover_ms": {"median": _rounded(median(times)), "worst": _rounded(times[-1])} if times else None,
        "scenarios": [
            {
                "name": verdict.scenario,
                "title": verdict.title,
                "expected": verdict.expected,
                "seen": verdict.seen,
                "passed": verdict.passed,
                "failures": list(verdict.failures),
                "first_try": list(verdict.first_try),
                "failover_ms": _rounded(verdict.failover_ms),
            }
            for verdict in report.verdicts
        ],
        "left_out": dict(report.left_out),
    }


def table_rows(report: Report) -> tuple[tuple[str, ...], ...]:
    """The cells below ``HEADINGS``, as plain text."""
    return tuple(
        (
            verdict.title,
            verdict.expected,
            verdict.seen,
            "" if verdict.failover_ms is None else f"{verdict.failover_ms:.0f} ms",
            ("passed" if verdict.passed else "FAILED") + (" at the second try" if verdict.first_try else ""),
        )
        for verdict in report.verdicts
    )


def summary(report: Report) -> str:
    """One sentence about the whole drill."""
    kind = "patched" if report.patched else "stock"
    passed = len(report.verdicts) - len(report.failed)
    text = f"OpenCode {report.version} ({kind}): {passed} of {len(report.verdicts)} scenarios passed"
    if report.repeated:
        text += f", {len(report.repeated)} of them in a second try, alone"
    if times := report.failover_ms:
        text += f"; next provider's request after {median(times):.0f} ms (median), {times[-1]:.0f} ms (worst)"
    if report.left_out:
        text += f". Left out, because they do not apply: {', '.join(report.left_out)}"
    return text + "."


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
