"""``opencode-patcher install``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opencode_patcher.cli import installed, options, output

if TYPE_CHECKING:
    from opencode_patcher.install.activate import Installed
    from opencode_patcher.install.path_search import PathFinding


class _Directory(click.Path):
    """A path that is not empty, which click would take for the current directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty.", param, ctx)
        return super().convert(value, param, ctx)


@click.command
@click.argument("version", required=False)
@click.option(
    "--bin-dir",
    type=_Directory(path_type=Path),
    metavar="DIR",
    help="Directory for the program.  [default: where it is now, else $XDG_BIN_HOME, else ~/.local/bin]",
)
@click.option(
    "--replace",
    "replace_other",
    is_flag=True,
    help="Take the place of an `opencode` that is there already; it is kept under another name.",
)
@click.option("--unverified", is_flag=True, help="Install a build that has not passed the drill and is of no release.")
@options.progress_options
def command(
    version: str | None,
    bin_dir: Path | None,
    replace_other: bool,
    unverified: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Put a built binary where your shell finds it.

    VERSION is a release (1.18.3) or the name of a build (see the command list); without it the newest build is taken.
    What was there before stays until the new program has started, and nothing of yours is deleted.
    """
    import os

    from opencode_patcher.base.store import open_store
    from opencode_patcher.install import activate, builds, path_search
    from opencode_patcher.install.systems.current import current_system

    store = open_store()
    here = current_system()
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    output.warn_of(builds.unreadable(store))
    build = activate.choose_build(builds.list_builds(store), version, unverified=unverified)
    done = activate.install(store, here, build, os.environ, reporter, bin_dir=bin_dir, replace_other=replace_other)
    finding = path_search.find(here, done.place, os.environ)
    if as_json:
        output.show_json(installed.installed_data(done) | {"path": installed.path_data(finding)})
        return
    show(done, finding)


def show(done: Installed, finding: PathFinding) -> None:
    """Say what is active now, what it took the place of, and what to do about PATH."""
    from opencode_patcher.install import path_search

    output.echo(f"OpenCode {done.record.version} with combined models is installed: {done.place}")
    if done.moved_to:
        output.echo(f"What was there is kept as {done.moved_to}; opencode-patcher uninstall puts it back.")
    if done.previous and done.previous != done.record.build:
        output.echo(f"Before, it was the build {done.previous}; opencode-patcher rollback goes back to it.")
    if done.closed:
        warning = output.paint("Other users cannot start it:", "yellow", bold=True)
        output.echo(warning, f" they reach {done.place.parent}, but not {done.closed}, in which the program is kept.")
        output.echo(
            "To install for all: make a directory that they can enter, name it in OPENCODE_PATCHER_HOME, build there."
        )
    if advice := path_search.advice(finding):
        output.echo()
        output.block(output.paint("Not done yet:", "yellow", bold=True), f" {advice}")
        return
    output.echo("Start it: opencode")
