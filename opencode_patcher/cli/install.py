"""``opencode-patcher install``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opencode_patcher.cli import completion, installed, options, output

if TYPE_CHECKING:
    from opencode_patcher.install.activate import Installed, Plan
    from opencode_patcher.install.path_search import PathFinding


class _Directory(click.Path):
    """A path. The empty one is refused: click would take it for the current directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("The name is empty.", param, ctx)
        return super().convert(value, param, ctx)


@click.command
@click.argument("version", required=False, shell_complete=completion.builds)
@click.option(
    "--bin-dir",
    type=_Directory(path_type=Path),
    metavar="DIR",
    help="Directory for the program.  [default: where it is now, else $XDG_BIN_HOME, else ~/.local/bin]",
)
@options.name_option
@click.option(
    "--replace",
    "replace_other",
    is_flag=True,
    help="Replace an `opencode` that is already there; it is kept under another name.",
)
@click.option(
    "--unverified", is_flag=True, help="Install a build even if it has not passed the drill and is not from a release."
)
@options.dry_run_option("Only say what would be installed, and where.")
@options.progress_options
@click.pass_context
def command(
    ctx: click.Context,
    version: str | None,
    bin_dir: Path | None,
    name: str | None,
    replace_other: bool,
    unverified: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Put a built binary where your shell finds it.

    VERSION is a release (1.18.3) or the name of a build (see `list`); without it, the newest build is installed. What
    was there before is replaced only after the new program has started once, and none of your files are deleted.
    """
    import os

    from opencode_patcher.base import line as lines
    from opencode_patcher.base.store import open_store
    from opencode_patcher.install import activate, builds, path_search
    from opencode_patcher.install.systems.current import current_system

    store = open_store()
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    output.warn_of(builds.unreadable(store))
    build = activate.choose_build(builds.list_builds(store), version, unverified=unverified)
    line = lines.of_version(build.release.version) or lines.OPENCODE_1
    here = current_system(name or line.program)
    if dry_run:
        planned = activate.plan(store, here, build, os.environ, bin_dir=bin_dir, replace_other=replace_other)
        if as_json:
            output.show_json(plan_data(planned))
        elif not quiet:
            show_plan(planned)
        ctx.exit(1 if planned.changes else 0)
    done = activate.install(store, here, build, os.environ, reporter, bin_dir=bin_dir, replace_other=replace_other)
    finding = path_search.find(here, done.place, os.environ)
    if as_json:
        output.show_json(installed.installed_data(done) | {"path": installed.path_data(finding)})
    elif not quiet:
        show(done, finding)


def plan_data(planned: Plan) -> dict[str, object]:
    """What ``--dry-run --json`` prints. ``replaces`` is what would be kept under another name."""
    return {
        "build": planned.build,
        "version": planned.version,
        "place": str(planned.place),
        "changes": planned.changes,
        "previous": planned.occupant.build,
        "replaces": planned.occupant.shown or None,
    }


def show_plan(planned: Plan) -> None:
    """Say what would be done."""
    if not planned.changes:
        output.echo(f"The build {planned.build} is already installed: {planned.place}")
        return
    output.echo(f"Would install OpenCode {planned.version} (build {planned.build}): {planned.place}")
    if planned.occupant.shown:
        output.echo(f"What is there now ({planned.occupant.shown}) would be kept under another name.")


def show(done: Installed, finding: PathFinding) -> None:
    """Say what is active now, what it replaced, and what to do about PATH."""
    from opencode_patcher.install import path_search

    output.echo(f"OpenCode {done.record.version} with combined models is installed: {done.place}")
    if done.moved_to:
        output.echo(f"What was there is kept as {done.moved_to}; to put it back: opencode-patcher uninstall")
    if done.previous and done.previous != done.record.build:
        output.echo(f"The previous build is {done.previous}; to go back to it: opencode-patcher rollback")
    if done.closed:
        warning = output.paint("Other users cannot start it:", "yellow", bold=True)
        output.echo(warning, f" they can enter {done.place.parent}, but not {done.closed}, where the program is kept.")
        output.echo(
            "To install for everybody: set OPENCODE_PATCHER_HOME to a directory they can enter, and build again."
        )
    if advice := path_search.advice(finding):
        output.echo()
        output.paragraph(output.paint("Not done yet:", "yellow", bold=True), f" {advice}")
        return
    output.echo(f"Start it: {done.place.stem}")
