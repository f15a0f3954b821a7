"""``opencode-patcher update``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import UsageError
from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from collections.abc import Callable

    from opencode_patcher.base.progress import Reporter
    from opencode_patcher.base.store import Store
    from opencode_patcher.install.builds import Build
    from opencode_patcher.upkeep.matrix import Report
    from opencode_patcher.upkeep.update import Prospect


@click.command
@click.option("--check-only", is_flag=True, help="Only say whether there is a newer release and whether it fits.")
@click.option("--install", "activate", is_flag=True, help="Install the new build as well.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what the check found to a file, by its ending .html, .md or .svg.",
)
@options.source_option
@options.no_wait_option
@options.progress_options
@click.pass_context
def command(
    ctx: click.Context,
    check_only: bool,
    activate: bool,
    report: Path | None,
    source: str | None,
    wait: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Move to upstream's newest release, once it is checked, built and verified.

    Then the lock names it, so that `build` makes it from now on. If a step fails, the lock and what is installed stay
    as they are. With --check-only the exit code is 1 when the newest release does not fit.
    """
    from opencode_patcher import pipeline
    from opencode_patcher.base.store import open_store
    from opencode_patcher.upkeep import matrix, update
    from opencode_patcher.upstream import DEFAULT_SOURCE, lock, support

    if check_only and activate:
        raise UsageError("--check-only and --install exclude each other.", next_step="Leave one of them out.")
    if report:
        matrix.require_format(report)
    store = open_store()
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    request = pipeline.Request(source=source or DEFAULT_SOURCE, wait=wait)
    locked = lock.current(store)
    prospect = update.look(request, store, reporter, lock=locked, window=support.read_support())
    found = _matrix(prospect)
    _write(found, report)
    built = None
    if prospect.newer and not check_only:
        if not as_json:
            output.echo(f"Upstream has {prospect.newest.tag}; the lock is {prospect.locked.tag}.")
        update.require_fit(prospect, "\n".join(problem for row in found.failed for problem in row.problems))
        built = update.move(
            prospect,
            request,
            store,
            reporter,
            lock=locked,
            lock_file=lock.place(store),
            activate=_activate(store, reporter) if activate else None,
        )
    if as_json:
        output.show_json(as_data(prospect, built.build if built else None, lock.place(store)))
    elif built:
        output.echo(f"The lock is {prospect.newest.tag} now: {lock.place(store)}")
        output.echo(f"Binary: {built.build.binary}")
        output.echo("It is installed." if activate else "To use it: opencode-patcher install")
    else:
        show(prospect, found)
    ctx.exit(1 if check_only and prospect.fails else 0)


def as_data(prospect: Prospect, build: Build | None, lock_file: Path) -> dict[str, object]:
    """What ``--json`` prints. ``moved`` says whether the lock is the newest release now because of this run."""
    from opencode_patcher.upkeep import matrix

    return {
        "locked": prospect.locked.tag,
        "newest": prospect.newest.tag,
        "newer": prospect.newer,
        "moved": build is not None,
        "lock": str(lock_file),
        "binary": str(build.binary) if build else None,
        "check": matrix.as_data(*prospect.found) if prospect.found else None,
    }


def show(prospect: Prospect, found: Report) -> None:
    """Say what there is to move to."""
    from opencode_patcher.upkeep import matrix

    if not prospect.newer:
        output.echo(f"The lock is {prospect.locked.tag}, and upstream has nothing newer.")
        return
    output.echo(f"Upstream has {prospect.newest.tag}; the lock is {prospect.locked.tag}.")
    output.block(matrix.text(found))
    if not found.failed:
        output.echo("To move to it: opencode-patcher update")


def _matrix(prospect: Prospect) -> Report:
    from opencode_patcher.upkeep import matrix

    return matrix.make([prospect.found] if prospect.found else [])


def _write(found: Report, path: Path | None) -> None:
    from opencode_patcher.base import files, resources
    from opencode_patcher.upkeep import matrix

    if path and found.rows:
        files.write_text(path, matrix.render(found, path, resources.templates()))


def _activate(store: Store, reporter: Reporter) -> Callable[[Build], None]:
    import os

    from opencode_patcher.install import activate
    from opencode_patcher.install.systems.current import current_system

    def install(build: Build) -> None:
        activate.install(store, current_system(), build, os.environ, reporter)

    return install
