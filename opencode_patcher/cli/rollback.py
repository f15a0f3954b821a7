"""``opencode-patcher rollback``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import installed, options, output

if TYPE_CHECKING:
    from opencode_patcher.install.activate import Installed
    from opencode_patcher.install.path_search import PathFinding


@click.command
@options.name_option
@options.progress_options
def command(name: str | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Go back to the build that was installed before.

    Run it again to go back one more. To get a stock OpenCode back: opencode-patcher uninstall. Lines of your
    configuration that an older build may refuse are shown, but not changed.
    """
    import os

    from opencode_patcher.base.environment import working_directory
    from opencode_patcher.base.store import open_store
    from opencode_patcher.configuration import stock_config
    from opencode_patcher.install import activate, builds, path_search, rollback
    from opencode_patcher.install import state as states
    from opencode_patcher.install.systems.current import current_system

    directory = working_directory()
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    store = open_store()
    here = current_system(states.meant(store, name))
    done = rollback.rollback(store, here, reporter)
    finding = path_search.find(here, done.place, os.environ)
    refused = stock_config.find(os.environ, directory)
    if as_json:
        data = installed.installed_data(done)
        output.show_json(data | {"path": installed.path_data(finding), "refused": installed.refused_data(refused)})
    elif not quiet:
        undo = activate.command_for(builds.list_builds(store), done.previous) if done.previous else ""
        show(done, finding, undo)
        installed.show_refused(refused)


def show(done: Installed, finding: PathFinding, undo: str) -> None:
    """Say what is active again, how to ``undo`` that, and what to do about PATH."""
    from opencode_patcher.install import path_search

    output.echo(f"OpenCode {done.record.version} is active again: build {done.record.build}, {done.place}")
    if undo:
        output.echo(f"To undo this: {undo}")
    if advice := path_search.advice(finding):
        output.echo()
        output.paragraph(advice)
