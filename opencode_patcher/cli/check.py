"""``opencode-patcher check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import UsageError
from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.base.version import Release
    from opencode_patcher.upstream.support import Support


@click.command
@click.argument("refs", metavar="[REF]...", nargs=-1)
@click.option("--since", metavar="TAG", help="Check this release and all newer ones.")
@click.option("--all", "everything", is_flag=True, help="Check every release of the support window.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the matrix to a file, by its ending .html, .md or .svg.",
)
@options.source_option
@options.no_wait_option
@options.progress_options
@click.pass_context
def command(
    ctx: click.Context,
    refs: tuple[str, ...],
    since: str | None,
    everything: bool,
    report: Path | None,
    source: str | None,
    wait: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Say whether the patches fit releases, and where each hunk lands. Nothing is built.

    REF is a release tag such as v1.18.3; without any, the newest release and that of the lock are checked. The exit
    code is 1 when a release of the support window fails.
    """
    from opencode_patcher.base import files, resources
    from opencode_patcher.base.mutex import one_at_a_time
    from opencode_patcher.base.store import open_store
    from opencode_patcher.upkeep import matrix, release_check
    from opencode_patcher.upkeep.release_check import Verdict
    from opencode_patcher.upstream import DEFAULT_SOURCE, lock, releases, support

    if sum((bool(refs), bool(since), everything)) > 1:
        raise UsageError(
            "REF, --since and --all exclude each other.",
            next_step="Try: opencode-patcher check --all",
        )
    address = source or DEFAULT_SOURCE
    listed = releases.list_releases(address)
    window = support.read_support()
    store = open_store()
    locked = lock.current(store)
    wanted = choose(listed, refs, since, everything, window, locked.release)
    for release in wanted:
        lock.check(release, locked)
    if report:
        matrix.require_format(report)
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    with one_at_a_time(store, reporter, wait=wait):
        checked = release_check.check_releases(address, wanted, locked.release, store, reporter)
    verdicts = [(check, release_check.judge(check, window)) for check in checked.checks]
    found = matrix.make(verdicts)
    if report:
        files.write_text(report, matrix.render(found, report, resources.templates()))
    if as_json:
        output.show_json(
            {
                "releases": [matrix.as_data(check, verdict) for check, verdict in verdicts],
                "milliseconds_per_release": round(checked.seconds * 1000 / max(len(wanted), 1), 1),
            }
        )
    else:
        output.block(matrix.text(found))
    ctx.exit(1 if any(verdict is Verdict.FAILS for _, verdict in verdicts) else 0)


def choose(
    listed: tuple[Release, ...],
    refs: tuple[str, ...],
    since: str | None,
    everything: bool,
    window: Support,
    locked: Release,
) -> list[Release]:
    """Which releases are meant, oldest first. Raises SourceError for a tag that is no release."""
    from opencode_patcher.upstream import releases

    if refs:
        return sorted({releases.find(listed, ref) for ref in refs})
    if since:
        first = releases.find(listed, since)
        return [release for release in listed if release >= first]
    if everything:
        return [release for release in listed if window.patches(release)]
    return sorted({releases.latest(listed), *(release for release in listed if release.tag == locked.tag)})
