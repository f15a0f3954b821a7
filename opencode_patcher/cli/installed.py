"""What several commands print about the installed program, PATH, and what a stock OpenCode refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opencode_patcher.cli import output

if TYPE_CHECKING:
    from opencode_patcher.configuration.stock_config import Lines
    from opencode_patcher.install.activate import Installed
    from opencode_patcher.install.path_search import PathFinding


def installed_data(done: Installed) -> dict[str, object]:
    """What ``--json`` prints about an activation."""
    return {
        "build": done.record.build,
        "version": done.record.version,
        "place": str(done.place),
        "file": str(done.record.file),
        "sha256": done.record.sha256,
        "previous": done.previous,
        "moved_to": str(done.moved_to) if done.moved_to else None,
        "closed_to_others": str(done.closed) if done.closed else None,
    }


def path_data(finding: PathFinding) -> dict[str, object]:
    """What ``--json`` prints about PATH. ``line`` is the line to add, and ``where`` the file to add it to."""
    return {
        "status": finding.status,
        "bin_dir": str(finding.bin_dir),
        "before": [
            {"path": str(other.path), "kind": other.kind.name, "remove": other.kind.remove or None}
            for other in finding.before
        ],
        "where": finding.line.where,
        "line": finding.line.line,
    }


def refused_data(refused: Sequence[Lines]) -> list[dict[str, object]]:
    """What ``--json`` prints about lines that a stock OpenCode does not understand."""
    return [
        {"path": one.name, "lines": [{"number": number, "text": text} for number, text in one.lines]} for one in refused
    ]


def show_refused(refused: Sequence[Lines]) -> None:
    """Show what has to be removed before a stock OpenCode is started. Only the user may remove it."""
    if not refused:
        return
    output.echo()
    output.echo("A stock OpenCode refuses these lines. Remove them before you start one:")
    for one in refused:
        output.echo(f"  {one.name}")
        for number, text in one.lines:
            output.echo(f"  {number:>5} | {text}")
    output.echo("These are the files it would read in this directory; other projects may have such lines too.")
