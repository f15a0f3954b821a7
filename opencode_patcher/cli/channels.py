"""``opencode-patcher channels``."""

from __future__ import annotations

from pathlib import Path

import click

from opencode_patcher.cli import options, output


@click.command
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="OUT",
    help="Where the files are written: a directory that does not exist yet, or is empty.",
)
@click.option(
    "--package",
    metavar="[@SCOPE/]NAME",
    help="The name of the package, with a scope for npm.  [default: opencode-combined, or opencode2-combined]",
)
@options.json_option
def command(directory: Path, out: Path, package: str | None, as_json: bool) -> None:
    """Write what package managers need to install a release.

    DIR is a directory written by `opencode-patcher release` with --repository and --release. OUT gets a directory for
    each of npm, Homebrew, the AUR, Scoop, Nix, mise and containers. Nothing is published.
    """
    from opencode_patcher.base import resources
    from opencode_patcher.release import channels, reproduce
    from opencode_patcher.release.channels import write

    wanted = channels.offer(reproduce.check_sums(directory), package)
    written = write.write(wanted, directory, resources.templates(), out)
    if as_json:
        output.show_json({"directory": str(out), "files": [str(path.relative_to(out)) for path in written]})
        return
    for path in written:
        output.echo(str(path))
    output.echo("Where each of them goes: docs/publishing.md")
