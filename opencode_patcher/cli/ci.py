"""``opencode-patcher ci``."""

from __future__ import annotations

from pathlib import Path

import click

from opencode_patcher.cli import HelpfulGroup, options, output


@click.group(cls=HelpfulGroup)
def command() -> None:
    """Set up workflows that test, watch upstream and publish."""


@command.command
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".", metavar="[DIRECTORY]")
@click.option("--cron", metavar="TEXT", help="When to look for a release, in UTC.  [default: once a day]")
@click.option("--branch", default="main", show_default=True, help="The branch whose pushes are tested.")
@click.option("--replace", is_flag=True, help="Replace workflows that were edited.")
@options.json_option
def init(directory: Path, cron: str | None, branch: str, replace: bool, as_json: bool) -> None:
    """Write GitHub workflows into a fork of this project.

    One looks for a new OpenCode release once a day, builds and drills it, and opens or updates one pull request with
    the new lock, or one issue that says what does not fit. Another builds for all systems and publishes when a tag is
    pushed. The third runs the tests. None of them needs a secret.
    """
    from opencode_patcher.base import resources
    from opencode_patcher.upkeep import workflows

    root = directory.absolute()
    templates = resources.templates()
    texts = workflows.workflows(templates, cron=cron or workflows.spread_cron(str(root.resolve())), branch=branch)
    written = workflows.write(root, templates, texts, replace=replace)
    if as_json:
        output.show_json({"written": [str(path) for path in written]})
        return
    for path in written:
        output.echo(f"Written: {path}")
    if not written:
        output.echo("The workflows are already there.")
        return
    output.echo("Commit and push them. GitHub runs a fork's schedules only after its Actions tab has been enabled.")
    output.echo("Pull requests need: Settings > Actions > General > Allow GitHub Actions to create pull requests.")
