"""``opencode-patcher compare``."""

from __future__ import annotations

from pathlib import Path

import click

from opencode_patcher.cli import output


@click.command
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
)
def command(files: tuple[Path, ...]) -> None:
    """Show the results of several drills side by side, as a table in Markdown.

    FILE is the output of `verify --json`. Nothing is run.
    """
    from opencode_patcher.drill.verdict import comparison

    output.block(comparison.markdown([comparison.read(path) for path in files]).rstrip("\n"))
