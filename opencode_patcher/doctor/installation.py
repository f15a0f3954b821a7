"""What is installed, and what the command ``opencode`` starts."""

from __future__ import annotations

from collections.abc import Mapping

from opencode_patcher.doctor.finding import Finding, Level
from opencode_patcher.install import path_search
from opencode_patcher.install.state import DEFAULT
from opencode_patcher.install.status import Status

_LEVELS: Mapping[str, Level] = {"current": "good", "older": "warning", "none": "warning"}
"""Any other state blocks."""


def check_state(status: Status) -> Finding:
    """The state that ``opencode-patcher status`` names."""
    level = _LEVELS.get(status.name, "blocks")
    return Finding(check="installed", level=level, text=f"{status.name}: {status.why}", fix=status.next_step)


def check_path(status: Status) -> Finding:
    """Whether a shell would start what is installed."""
    finding = status.facts.path
    if finding is None:
        text = "Your bin directory is not known: neither HOME nor XDG_BIN_HOME names one."
        return Finding(
            check="PATH", level="unknown", text=text, fix="Set HOME, or: opencode-patcher install --bin-dir DIR"
        )
    if finding.status == "first":
        there = status.facts.occupant.kind != "nothing"
        name = status.facts.place.stem if status.facts.place else DEFAULT
        text = (
            f"The command `{name}` starts {status.facts.place}."
            if there
            else f"{finding.bin_dir} is on PATH, and nothing comes before it; no `{name}` is there yet."
        )
        return Finding(check="PATH", level="good", text=text)
    text, _, fix = path_search.advice(finding).partition("\n")
    installed = status.facts.occupant.kind == "ours"
    return Finding(check="PATH", level="blocks" if installed else "warning", text=text, fix=fix)


def starts_stock(status: Status) -> str | None:
    """The program that the command ``opencode`` starts, if it is one without the patches; None otherwise.

    Whatever this tool did not install, from this or another store, counts as stock.
    """
    finding = status.facts.path
    if finding is None:
        return None
    if finding.before:
        first = finding.before[0]
        return None if first.kind.name == path_search.OURS else str(first.path)
    return str(status.facts.place) if status.facts.occupant.kind == "other" else None
