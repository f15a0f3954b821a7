"""``opencode-patcher update``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import PatchError
from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.base.line import Line
    from opencode_patcher.install.builds import Build
    from opencode_patcher.upkeep.matrix import Matrix
    from opencode_patcher.upkeep.update import Prospect
    from opencode_patcher.upstream.lock import Lock


@click.command
@options.dry_run_option("Only say whether there is a newer release and whether the patches fit it.", "--check-only")
@click.option("--install", "activate", is_flag=True, help="Install the new build as well.")
@options.report_option
@options.line_option
@options.source_option
@options.no_wait_option
@options.progress_options
@click.pass_context
def command(
    ctx: click.Context,
    dry_run: bool,
    activate: bool,
    report: Path | None,
    major: str | None,
    source: str | None,
    wait: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Move to the newest release of a line of OpenCode once it is checked, built and verified.

    Then the lock names it, and `build` makes it from now on. If a step fails, the lock and what is installed stay as
    they are. A newer release is unproven: it has to pass the whole drill, which takes minutes. With --dry-run the exit
    code is 1 when there is a newer release to move to, and 4 when the patches do not fit it.
    """
    import os

    from opencode_patcher import pipeline
    from opencode_patcher.base import resources
    from opencode_patcher.base.request import Request
    from opencode_patcher.base.store import open_store
    from opencode_patcher.install import managers
    from opencode_patcher.install.activate import install
    from opencode_patcher.install.systems.current import current_system
    from opencode_patcher.upkeep import matrix, report_file, update
    from opencode_patcher.upstream import lock, support

    def to_install(build: Build) -> None:
        install(store, current_system(line.program), build, os.environ, reporter)

    options.at_most_one({"--dry-run": dry_run, "--install": activate}, next_step="Leave one of them out.")
    if report:
        report_file.require_format(report)
    store = open_store()
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    line = options.line_of(major, ())
    request = Request(
        line=line,
        patches=resources.patches(line),
        source=source or line.source,
        web_ui="auto" if line.web_ui else "off",
        wait=wait,
    )
    locked = lock.current(store, line)
    prospect = update.look(request, store, reporter, lock=locked, window=support.of_line(line))
    if prospect.note:
        reporter.note(prospect.note)
    if other := managers.on_path(current_system(), os.environ):
        reporter.note(f"Your `opencode` was installed with {other.name}, which updates it: {other.update}")
    found = matrix.make([prospect.found] if prospect.found else [])
    if report and found.rows:
        report_file.write(found, report)
    built = None
    if prospect.newer and not dry_run:
        reporter.note(newer(prospect))
        built = pipeline.update(
            prospect,
            request,
            store,
            reporter,
            lock=locked,
            lock_file=lock.place(store, line),
            activate=to_install if activate else None,
        )
    if as_json:
        after = None
        if prospect.newer and not prospect.fails:
            after = update.next_lock(prospect, request, store, reporter, lock=locked)
        output.show_json(as_data(prospect, built.build if built else None, lock.place(store, line), after))
    elif built and not quiet:
        output.echo(f"The lock is now {prospect.newest.tag}: {lock.place(store, line)}")
        output.echo(f"Binary: {built.build.binary}")
        output.echo("It is installed." if activate else "To use it: opencode-patcher install")
    elif not quiet:
        show(prospect, found, line)
    if dry_run and prospect.newer:
        ctx.exit(PatchError.exit_code if prospect.fails else 1)


def as_data(prospect: Prospect, build: Build | None, lock_file: Path, after: Lock | None) -> dict[str, object]:
    """What ``--json`` prints. ``moved`` says whether this run moved the lock to the newest release. ``next_lock`` is
    what the lock file will say after a move, null when there is nothing to move to.
    """
    from opencode_patcher.upkeep import matrix
    from opencode_patcher.upstream import lock

    return {
        "locked": prospect.locked.tag,
        "newest": prospect.newest.tag,
        "newer": prospect.newer,
        "note": prospect.note,
        "moved": build is not None,
        "lock": str(lock_file),
        "next_lock": lock.as_data(after) if after else None,
        "binary": str(build.binary) if build else None,
        "check": matrix.as_data(*prospect.found) if prospect.found else None,
    }


def newer(prospect: Prospect) -> str:
    """Say that there is a newer release."""
    return f"OpenCode {prospect.newest.tag} has been released; the lock is at {prospect.locked.tag}."


def show(prospect: Prospect, found: Matrix, line: Line) -> None:
    """Say what there is to move to."""
    from opencode_patcher.upkeep import matrix

    if not prospect.newer:
        output.echo(f"The lock is {prospect.locked.tag}, and there is nothing newer in its line of OpenCode.")
        return
    output.echo(newer(prospect))
    output.block(matrix.text(found))
    if not prospect.fails:
        command = f"opencode-patcher update{options.naming(line)}"
        output.echo(f"To build it, run the whole drill and move to it if it passes: {command}")
