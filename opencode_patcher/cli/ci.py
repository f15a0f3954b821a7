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
@click.option(
    "--line",
    "choice",
    type=click.Choice(("1", "2", "both")),
    default="1",
    show_default=True,
    help="The line of OpenCode that is watched and published: 1, 2 (experimental) or both.",
)
@click.option("--cron", metavar="TEXT", help="When to look for a release, in UTC.  [default: once a day]")
@click.option("--branch", default="main", show_default=True, help="The branch whose pushes are tested.")
@click.option("--replace", is_flag=True, help="Replace workflows that were edited.")
@options.json_option
def init(directory: Path, choice: str, cron: str | None, branch: str, replace: bool, as_json: bool) -> None:
    """Write GitHub workflows into a fork of this project.

    ci.yml runs the tests. watch.yml looks for a new OpenCode release once a day, builds and drills it, and opens or
    updates one pull request with the new lock, or one issue that says what does not fit. release.yml builds for all
    systems and publishes when a tag v1.… is pushed. None of them needs a secret.

    OpenCode 2 has watch-2.yml and release-2.yml, for tags v2.…. The workflows of a line that is not wanted are removed.
    """
    from opencode_patcher.base import resources
    from opencode_patcher.upkeep import workflows

    root = directory.absolute()
    templates = resources.templates()
    texts = workflows.workflows(
        templates,
        cron=cron or workflows.spread_cron(str(root.resolve())),
        branch=branch,
        lines=workflows.CHOICES[choice],
    )
    changed = workflows.write(root, templates, texts, replace=replace)
    if as_json:
        output.show_json({"written": list(map(str, changed.written)), "removed": list(map(str, changed.removed))})
        return
    for path in changed.written:
        output.echo(f"Written: {path}")
    for path in changed.removed:
        output.echo(f"Removed: {path}")
    if not (changed.written or changed.removed):
        output.echo("The workflows are already there.")
        return
    output.echo("Commit and push them. GitHub runs a fork's schedules only after its Actions tab has been enabled.")
    output.echo("Pull requests need: Settings > Actions > General > Allow GitHub Actions to create pull requests.")
