"""``opencode-patcher patches edit``, ``rebase`` and ``refresh``: for those who maintain the patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import UsageError
from opencode_patcher.cli import completion, options, output

if TYPE_CHECKING:
    from opencode_patcher.base.line import Line
    from opencode_patcher.upkeep.workbench import Workbench

continue_option = click.option("--continue", "go_on", is_flag=True, help="Commit what you have done, and continue.")
abort_option = click.option("--abort", is_flag=True, help="Remove the work tree. The patch files stay as they are.")


@click.command
@click.argument("name", required=False, shell_complete=completion.patches)
@continue_option
@abort_option
@options.patches_line_option
@options.source_option
@options.progress_options
def edit(
    name: str | None,
    go_on: bool,
    abort: bool,
    major: str | None,
    source: str | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Open a work tree of the locked release with one commit for each patch.

    With NAME it stops at that patch: change its files there, then run `patches edit --continue` to apply the others.
    `patches refresh` writes the patch files.
    """
    options.at_most_one({"NAME": name, "--continue": go_on, "--abort": abort}, next_step="Leave all but one out.")
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    bench = _work(options.line_of(major, ()), source, name or "", None, reporter, go_on=go_on, abort=abort)
    _show(bench, as_json=as_json, quiet=quiet)


@click.command
@options.ref_argument
@continue_option
@abort_option
@options.line_option
@options.source_option
@options.progress_options
def rebase(
    ref: str | None,
    go_on: bool,
    abort: bool,
    major: str | None,
    source: str | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Rebase the patches onto the release REF, in a work tree with one commit for each patch.

    It stops at a patch that does not fit, with a git conflict. Resolve it, then run `patches rebase --continue`.
    `patches refresh` writes the patch files.
    """
    options.at_most_one({"REF": ref, "--continue": go_on, "--abort": abort}, next_step="Leave all but one out.")
    if not (ref or go_on or abort):
        raise UsageError("No release is named.", next_step="Try: opencode-patcher patches rebase v1.2.3")
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    bench = _work(options.line_of(major, [ref]), source, "", ref, reporter, go_on=go_on, abort=abort)
    _show(bench, as_json=as_json, quiet=quiet)


@click.command
@options.dry_run_option("Write nothing, and name the patches that would change.", "--check")
@options.patches_line_option
@options.source_option
@options.progress_options
@click.pass_context
def refresh(
    ctx: click.Context,
    dry_run: bool,
    major: str | None,
    source: str | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Update the patch files from the open work tree, or else against the locked release.

    What has not changed stays as it is, byte for byte.
    """
    from opencode_patcher.base.store import open_store
    from opencode_patcher.upkeep import mending

    if not dry_run:
        mending.require_own_patches()
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    line = options.line_of(major, ())
    address = source or line.source
    names = mending.refresh(open_store(), address, reporter, line=line if major else None, dry_run=dry_run)
    if as_json:
        output.show_json({"changed": list(names), "written": bool(names) and not dry_run})
    elif not quiet:
        what = "Would change" if dry_run else "Updated"
        output.echo(f"{what}: {', '.join(names)}" if names else "The patch files are up to date.")
    ctx.exit(1 if dry_run and names else 0)


def _work(
    line: Line,
    source: str | None,
    name: str,
    ref: str | None,
    reporter: output.TerminalReporter,
    *,
    go_on: bool,
    abort: bool,
) -> Workbench | None:
    """Start, continue or remove the work tree. Returns it; None when it was removed."""
    from opencode_patcher.base.store import open_store
    from opencode_patcher.upkeep import mending

    mending.require_own_patches()
    store = open_store()
    if abort:
        mending.give_up(store, reporter)
        return None
    if go_on:
        return mending.proceed(store, reporter)
    return mending.begin(store, source or line.source, reporter, line=line, name=name, ref=ref)


def _show(bench: Workbench | None, *, as_json: bool, quiet: bool) -> None:
    lines = next_steps(bench)
    if as_json:
        output.show_json(as_data(bench) | {"next_step": lines[-1]})
    elif not quiet:
        for line in lines:
            output.echo(line)


def as_data(bench: Workbench | None) -> dict[str, object]:
    """What ``--json`` prints about the work tree: ``patch`` is the one to edit, null when every patch has its
    commit."""
    return {
        "work_tree": str(bench.path) if bench else None,
        "release": bench.state.release.tag if bench else None,
        "patch": (bench.state.current or None) if bench else None,
    }


def next_steps(bench: Workbench | None) -> list[str]:
    """Where the work tree is, and what to do next."""
    if bench is None:
        return ["The work tree was removed. The patch files are unchanged."]
    if bench.state.editing:
        return [
            f"The patch '{bench.state.current}' is the last commit in {bench.path}",
            "Change its files there, then: opencode-patcher patches edit --continue",
        ]
    return [
        f"Every patch has its commit in {bench.path}",
        "To update the patch files: opencode-patcher patches refresh",
    ]
