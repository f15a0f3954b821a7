"""``opencode-patcher doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opencode_patcher.doctor.finding import Finding

_MARKS = {"good": ("ok", "green"), "warning": ("warning", "yellow"), "blocks": ("blocks", "red"), "unknown": ("?", "")}


@click.command
@options.source_option
@options.json_option
@click.pass_context
def command(ctx: click.Context, source: str | None, as_json: bool) -> None:
    """Find what prevents building, installing or failing over, and say how to fix it.

    Looks at git, bun, the npm registry, the source, the disk, what is installed, PATH, and your OpenCode configuration
    as seen from the current directory. It works offline and repairs nothing itself. The exit code is 1 when something
    is blocking, 0 when there are only warnings.
    """
    import os

    from opencode_patcher.base import store as storage
    from opencode_patcher.base.environment import working_directory
    from opencode_patcher.base.errors import PatcherError
    from opencode_patcher.doctor.examine import Examined, examine
    from opencode_patcher.install import state as states
    from opencode_patcher.install.systems.current import current_system
    from opencode_patcher.upstream import DEFAULT_SOURCE

    try:
        store = storage.existing()
        name = states.meant(store, None) if store else states.DEFAULT
    except PatcherError:  # What is wrong with the store has a check of its own.
        name = states.DEFAULT
    patient = Examined(
        environment=os.environ,
        directory=working_directory(),
        system=current_system(name),
        source=source or DEFAULT_SOURCE,
    )
    found = []
    for finding in examine(patient, output.TerminalReporter(quiet=True)):
        found.append(finding)
        if not as_json:
            show(finding)
    blocked = any(finding.level == "blocks" for finding in found)
    if as_json:
        output.show_json(as_data(found))
    else:
        output.block(summary(found))
    ctx.exit(1 if blocked else 0)


def as_data(found: Sequence[Finding]) -> dict[str, object]:
    """What ``--json`` prints."""
    return {
        "blocked": any(finding.level == "blocks" for finding in found),
        "findings": [
            {"check": one.check, "level": one.level, "text": one.text, "fix": one.fix or None} for one in found
        ],
    }


def show(finding: Finding) -> None:
    """Show one finding, and how to fix it."""
    word, colour = _MARKS[finding.level]
    mark = output.paint(f"{word:>8}", colour) if colour else f"{word:>8}"
    lines = [f"{finding.check}: {finding.text}", *(finding.fix.splitlines() if finding.level != "good" else [])]
    if finding.level == "good" and finding.fix:
        lines[0] += f" {finding.fix}"
    text = "\n".join(lines).replace("\n", "\n" + " " * 10)
    output.block(mark, f"  {text}")


def summary(found: Sequence[Finding]) -> str:
    """The result in one line."""
    counts = {level: sum(finding.level == level for finding in found) for level in _MARKS}
    if counts["blocks"]:
        return f"\nFix what is blocking first ({counts['blocks']})."
    if counts["warning"] or counts["unknown"]:
        return "\nNothing is blocking."
    return "\nAll checks passed."
