"""``opencode-patcher uninstall``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import installed, options, output

if TYPE_CHECKING:
    from opencode_patcher.configuration.stock_config import Lines
    from opencode_patcher.install.uninstall import Removed


@click.command
@options.name_option
@options.progress_options
def command(name: str | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Remove the installed program and put back what was there before.

    Builds stay in the store. Your sessions and your configuration are not touched; lines that a stock OpenCode refuses
    are shown.
    """
    import os

    from opencode_patcher.base.environment import working_directory
    from opencode_patcher.base.store import open_store
    from opencode_patcher.configuration import stock_config
    from opencode_patcher.install import state as states
    from opencode_patcher.install import uninstall
    from opencode_patcher.install.systems.current import current_system

    directory = working_directory()
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    store = open_store()
    done = uninstall.uninstall(store, current_system(states.meant(store, name)), reporter)
    refused = stock_config.find(os.environ, directory)
    if as_json:
        output.show_json(as_data(done, refused))
    elif not quiet:
        show(done, refused)


def as_data(done: Removed, refused: Sequence[Lines]) -> dict[str, object]:
    """What ``--json`` prints; ``refused`` are the lines that a stock OpenCode does not understand."""
    return {
        "place": str(done.place),
        "restored": str(done.restored) if done.restored else None,
        "untouched": done.untouched,
        "left": [str(path) for path in done.left],
        "refused": installed.refused_data(refused),
    }


def show(done: Removed, refused: Sequence[Lines]) -> None:
    """Say what was done, and what a stock OpenCode would refuse."""
    if done.untouched:
        output.echo(f"{done.place} is no longer from opencode-patcher and was left as it is.")
    elif done.restored:
        output.echo(f"{done.place} is back to what it was before opencode-patcher.")
    else:
        output.echo(f"{done.place} is removed.")
    for path in done.left:
        output.echo(f"Still there, from before opencode-patcher: {path}")
    output.echo("The builds are still in the store; to install one again: opencode-patcher install")
    installed.show_refused(refused)
