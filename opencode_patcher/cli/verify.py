"""``opencode-patcher verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import DrillError, UsageError
from opencode_patcher.cli import completion, options, output

if TYPE_CHECKING:
    from opencode_patcher.drill import Report


@click.command
@click.option(
    "--binary",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The opencode binary, patched or stock.  [default: the latest build]",
)
@click.option(
    "--only",
    "--scenario",
    "names",
    multiple=True,
    metavar="NAME",
    help="Run only this scenario; can be repeated.",
    shell_complete=completion.scenarios,
)
@click.option(
    "--quick", is_flag=True, help="Run only the scenarios that every build must pass; takes less than a minute."
)
@click.option(
    "--isolated",
    is_flag=True,
    help="Give each scenario a home and a process of its own instead of one server for most: slow.",
)
@options.moved_option("--compare", "compare")
@options.keep_homes_option
@options.progress_options
def command(
    binary: Path | None,
    names: tuple[str, ...],
    quick: bool,
    isolated: bool,
    keep: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Run a binary against failing providers and show what it does.

    Fake providers are started on this machine, and the real binary is run against them in a temporary home. No key is
    needed and nothing is sent elsewhere. A stock binary has no combined models: its table shows what it does when its
    provider fails. The exit code is 7 when a scenario fails.

    Without --quick, the scenarios are those that every build must pass, the sixteen of a public failover benchmark, and
    those for agents: tools, thinking, subagents, cancels, cooldowns. They take a few minutes.

    Time limits depend on how long a healthy turn takes on this machine. A scenario that fails only because it was too
    slow is repeated once, alone, and its verdict says so.
    """
    from opencode_patcher import drill

    scenarios = drill.select(names, quick=quick)
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    report = drill.run(binary or default_binary(), scenarios, reporter=reporter, keep=keep, isolated=isolated)
    if as_json:
        from opencode_patcher.drill.verdict.report import as_json as data

        output.show_json(data(report))
        # The JSON object already has the reasons; an error would print a second one.
        raise click.exceptions.Exit(0 if report.passed else DrillError.exit_code)
    if not quiet:
        show(report)
    if not report.passed:
        raise failure(report)


def default_binary() -> Path:
    """The latest build in the store. Raises UsageError when nothing was built yet."""
    from opencode_patcher.base.store import open_store
    from opencode_patcher.install import builds

    build = builds.latest(open_store())
    if build is None:
        raise UsageError(
            "There is no binary to verify.",
            why="Nothing has been built yet.",
            next_step="opencode-patcher build, or name a binary: opencode-patcher verify --binary PATH",
        )
    return build.binary


def show(report: Report) -> None:
    """Show the table, and for a patched binary why scenarios failed.

    Failures of a stock binary need no reasons: it has no other provider.
    """
    from opencode_patcher.drill.verdict.report import HEADINGS, summary, table_rows

    output.show_table(HEADINGS, table_rows(report))
    if report.patched:
        for verdict in report.failed:
            output.echo(f"{verdict.title} ({verdict.scenario}):")
            for reason in verdict.failures:
                output.echo(f"  - {reason}")
    output.block(summary(report))


def failure(report: Report) -> DrillError:
    """The error that says which scenarios failed, and how to look into the first one."""
    names = [verdict.scenario for verdict in report.failed]
    return DrillError(
        f"{len(names)} of {len(report.verdicts)} scenarios failed.",
        why="Failed: " + ", ".join(names),
        next_step=f"opencode-patcher verify --binary {report.binary} --only {names[0]} --keep DIR",
    )
