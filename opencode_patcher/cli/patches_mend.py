"""``opencode-patcher patches edit``, ``rebase`` and ``refresh``: for those who keep the patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import UsageError
from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.base.progress import Reporter
    from opencode_patcher.base.store import Store
    from opencode_patcher.patchset.series import Series
    from opencode_patcher.upkeep.workbench import Workbench

continue_option = click.option("--continue", "go_on", is_flag=True, help="Commit what you have done, and go on.")
abort_option = click.option("--abort", is_flag=True, help="Remove the work tree. The patch files stay as they are.")


@click.command
@click.argument("name", required=False)
@continue_option
@abort_option
@options.source_option
@options.quiet_option
@options.verbose_option
def edit(name: str | None, go_on: bool, abort: bool, source: str | None, quiet: bool, verbose: bool) -> None:
    """Open a work tree of the lock's release with one commit a patch.

    With NAME it stops at that patch: change its files there, then `patches edit --continue` carries the others over.
    `patches refresh` writes the patch files.
    """
    _work(source, name or "", None, go_on=go_on, abort=abort, quiet=quiet, verbose=verbose)


@click.command
@click.argument("ref", required=False)
@continue_option
@abort_option
@options.source_option
@options.quiet_option
@options.verbose_option
def rebase(ref: str | None, go_on: bool, abort: bool, source: str | None, quiet: bool, verbose: bool) -> None:
    """Carry the patches over to the release REF, in a work tree with one commit a patch.

    A patch that does not fit stops it with a conflict of git. Resolve it, then `patches rebase --continue`.
    `patches refresh` writes the patch files.
    """
    if not (ref or go_on or abort):
        raise UsageError("No release is named.", next_step="Try: opencode-patcher patches rebase v1.2.3")
    _work(source, "", ref, go_on=go_on, abort=abort, quiet=quiet, verbose=verbose)


@click.command
@click.option("--check", "check_only", is_flag=True, help="Write nothing; the exit code is 1 if a file would change.")
@options.source_option
@options.progress_options
@click.pass_context
def refresh(
    ctx: click.Context, check_only: bool, source: str | None, as_json: bool, quiet: bool, verbose: bool
) -> None:
    """Write the patch files anew: from the open work tree, else as they are in the lock's release.

    What did not change stays as it is, byte for byte.
    """
    from opencode_patcher.base import resources
    from opencode_patcher.base.mutex import one_at_a_time
    from opencode_patcher.base.store import open_store
    from opencode_patcher.patchset import series
    from opencode_patcher.upkeep import workbench, writeback
    from opencode_patcher.upstream import DEFAULT_SOURCE, lock
    from opencode_patcher.upstream.repository import opened

    if not check_only:
        _require_own_patches()
    store, directory = open_store(), resources.patches()
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    patches = series.load(directory)
    with one_at_a_time(store, reporter):
        bench = workbench.find(store)
        if bench:
            texts = writeback.from_commits(bench, patches)
        else:
            release = lock.current(store).release
            with opened(store, source or DEFAULT_SOURCE) as upstream:
                upstream.fetch([release], reporter)
                texts = writeback.from_release(upstream.snapshot(release), release, patches)
        if check_only:
            names = writeback.changed(patches, texts)
        else:
            names = writeback.write(directory, patches, texts)
            if bench:
                workbench.abort(store, bench)
    if as_json:
        output.show_json({"changed": list(names), "written": bool(names) and not check_only})
    elif not names:
        output.echo("The patch files are as they would be written.")
    else:
        output.echo(f"{'Would change' if check_only else 'Written'}: {', '.join(names)}")
    ctx.exit(1 if check_only and names else 0)


def _work(
    source: str | None, name: str, ref: str | None, *, go_on: bool, abort: bool, quiet: bool, verbose: bool
) -> None:
    from opencode_patcher.base import resources
    from opencode_patcher.base.mutex import one_at_a_time
    from opencode_patcher.base.store import open_store
    from opencode_patcher.patchset import series
    from opencode_patcher.upkeep import workbench

    if go_on + abort + bool(name or ref) > 1:
        raise UsageError("--continue, --abort and a name exclude each other.", next_step="Leave all but one out.")
    _require_own_patches()
    store = open_store()
    reporter = output.TerminalReporter(quiet=quiet, verbose=verbose)
    patches = series.load(resources.patches())
    with one_at_a_time(store, reporter):
        if abort:
            workbench.abort(store, workbench.require(store))
            output.echo("The work tree is gone. The patch files are as they were.")
            return
        bench = (
            workbench.resume(workbench.require(store), patches, reporter)
            if go_on
            else _start(store, source, name, ref, patches, reporter)
        )
    _say(bench)


def _start(
    store: Store, source: str | None, name: str, ref: str | None, patches: Series, reporter: Reporter
) -> Workbench:
    from opencode_patcher.upkeep import workbench
    from opencode_patcher.upstream import DEFAULT_SOURCE, lock, releases

    if name:
        patches.find(name)
    address = source or DEFAULT_SOURCE
    locked = lock.current(store)
    release = releases.find(releases.list_releases(address), ref) if ref else locked.release
    lock.check(release, locked)
    return workbench.start(store, address, locked.release, release, patches, reporter, stop_at=name)


def _say(bench: Workbench) -> None:
    if bench.state.editing:
        output.echo(f"The patch '{bench.state.current}' is the last commit in {bench.path}")
        output.echo("Change its files there, then: opencode-patcher patches edit --continue")
        return
    output.echo(f"Every patch has its commit in {bench.path}")
    output.echo("To write the patch files: opencode-patcher patches refresh")


def _require_own_patches() -> None:
    """Raises UsageError where the patches are part of an installed package."""
    from opencode_patcher.base import resources

    if not resources.is_checkout():
        raise UsageError(
            "The patches of an installed opencode-patcher are not to be changed.",
            why=f"They are in {resources.patches()}.",
            next_step="Get a checkout of the project, run `make build` there, and change its patches/.",
        )
