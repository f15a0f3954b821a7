"""``opencode-patcher prune``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.install.prune import Pruned


@click.command
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=1,
    metavar="N",
    help="Keep this many more builds, starting with those you can roll back to.  [default: 1]",
)
@options.dry_run_option("Only say what would be deleted.")
@options.progress_options
@click.pass_context
def command(ctx: click.Context, keep: int, dry_run: bool, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Delete builds that are no longer needed.

    The installed build is kept, and so are the newest one and the newest that is verified or comes from a release.
    """
    from opencode_patcher.base.store import open_store
    from opencode_patcher.install import builds, prune
    from opencode_patcher.install.systems.current import current_system

    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    store = open_store()
    output.warn_of(builds.unreadable(store))
    done = prune.prune(store, current_system(), reporter, keep=keep, dry_run=dry_run)
    if as_json:
        output.show_json({"deleted": list(done.names), "size": done.size, "dry_run": dry_run})
    elif not quiet:
        show(done, dry_run=dry_run)
    ctx.exit(1 if dry_run and done.names else 0)


def show(done: Pruned, *, dry_run: bool) -> None:
    """Show which builds were or would be deleted, and how much space that frees."""
    if not done.names:
        output.echo("There is nothing to delete.")
        return
    for name in done.names:
        output.echo(f"{'Would delete' if dry_run else 'Deleted'} {name}")
    output.echo(f"{done.size / 1e6:.0f} MB {'would be ' if dry_run else ''}freed.")
