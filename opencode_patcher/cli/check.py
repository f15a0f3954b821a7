"""``opencode-patcher check``."""

from __future__ import annotations

from pathlib import Path

import click

from opencode_patcher.cli import completion, options, output


@click.command
@click.argument("refs", metavar="[REF]...", nargs=-1, shell_complete=completion.tags)
@click.option("--since", metavar="TAG", help="Check this release and all newer ones.")
@click.option("--all", "everything", is_flag=True, help="Check every supported release.")
@options.line_option
@options.report_option
@options.source_option
@options.no_wait_option
@options.progress_options
@click.pass_context
def command(
    ctx: click.Context,
    refs: tuple[str, ...],
    since: str | None,
    everything: bool,
    major: str | None,
    report: Path | None,
    source: str | None,
    wait: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Check whether the patches fit OpenCode releases, and where each hunk lands. Nothing is built.

    Three things are checked: text (each hunk has exactly one place), names (what our code uses of OpenCode exists) and
    meaning (inserted code can work where it is, and OpenCode still does what the feature relies on).

    REF is a release tag such as v1.18.3; without it, the newest and the locked release are checked. The exit code is 1
    when a supported release fails, or differs in code that the feature relies on.
    """
    from opencode_patcher.base.mutex import one_at_a_time
    from opencode_patcher.base.store import open_store
    from opencode_patcher.upkeep import matrix, release_check, report_file
    from opencode_patcher.upstream import lock, releases, support

    options.at_most_one(
        {"REF": refs, "--since": since, "--all": everything}, next_step="Try: opencode-patcher check --all"
    )
    line = options.line_of(major, [*refs, since])
    address = source or line.source
    listed = releases.list_releases(address, line)
    window = support.of_line(line)
    store = open_store()
    locked = lock.current(store, line)
    wanted = release_check.choose(
        listed, refs=refs, since=since, everything=everything, window=window, locked=locked.release, line=line
    )
    for release in wanted:
        lock.check(release, locked)
    if report:
        report_file.require_format(report)
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    with one_at_a_time(store, reporter, wait=wait):
        ours = release_check.Ours.of(line)
        checked = release_check.check_releases(address, wanted, locked.release, store, reporter, ours)
    verdicts = [(check, release_check.judge(check, window)) for check in checked.checks]
    found = matrix.make(verdicts)
    if report:
        report_file.write(found, report)
    if as_json:
        output.show_json(
            {
                "releases": [matrix.as_data(check, verdict) for check, verdict in verdicts],
                "milliseconds_per_release": round(checked.seconds * 1000 / max(len(wanted), 1), 1),
            }
        )
    elif not quiet:
        output.block(matrix.text(found))
    elif found.failed or found.differing:
        output.block(matrix.text(matrix.without_fitting(found)), err=True)
    ctx.exit(1 if found.failed or found.differing else 0)
