"""``opencode-patcher attempts``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import OutputClosed, UsageError
from opencode_patcher.cli import completion, options, output

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from opencode_patcher.attempts.log import Attempt, Log
    from opencode_patcher.attempts.totals import Totals


LAST = 40
"""Lines that are shown unless the user says how many."""

FOLLOW_EVERY = 0.5
"""Seconds between two looks at the log."""

SINCE = click.option(
    "--since", metavar="TIME", help="Only attempts after this: 30m, 2h, 7d, 2w, or a date such as 2026-01-31."
)
SESSION = click.option(
    "--session",
    metavar="ID",
    help="Only this session: its id, or the end of it.",
    shell_complete=completion.sessions,
)
FILE = options.file_option("--file", "The log to read.  [default: your OpenCode's]")


@click.group(invoke_without_command=True)
@SINCE
@SESSION
@FILE
@click.option(
    "--last", type=click.IntRange(min=0), help=f"How many to show; 0 for all.  [default: {LAST}; with --json, all]"
)
@click.option("--follow", "-f", is_flag=True, help="Show new attempts as they end, until Ctrl-C.")
@click.option("--unknown", is_flag=True, help="Only failures that no row of the table knew, ready to paste.")
@options.json_option
@click.pass_context
def command(
    ctx: click.Context,
    since: str | None,
    session: str | None,
    file: Path | None,
    last: int | None,
    follow: bool,
    unknown: bool,
    as_json: bool,
) -> None:
    """Show the requests of combined models: which provider answered, what failed, and what it cost.

    A line has the time, the end of the session's id, the provider, what followed, and why or how much. Switched: the
    next provider was asked. Retried: the same provider was asked again.
    """
    from opencode_patcher.attempts import totals

    if ctx.invoked_subcommand is not None:
        return
    if follow and (as_json or unknown):
        raise UsageError("--follow shows lines.", next_step="Leave out --json and --unknown, or --follow.")
    moment, path, whole = read(since, file)
    found = whole.matching(since=moment, session=session)
    if unknown:
        show_unknown(found.attempts, as_json)
        return
    added = totals.add_up(found.attempts)
    count = (0 if as_json else LAST) if last is None else last
    shown = found.attempts[-count:] if count else found.attempts
    if as_json:
        output.show_json(as_data(shown, added) | {"unreadable": found.unreadable})
        return
    if found.unreadable:
        output.echo(f"Lines that cannot be read were left out: {found.unreadable}", err=True)
    if not found.attempts:
        output.echo(f"No attempts are recorded in {path}{' that match' if since or session else ''}.")
    if len(shown) < len(found.attempts):
        output.echo(f"({len(found.attempts) - len(shown)} earlier ones: --last 0)")
    day = show_lines(shown, None)
    if follow:
        follow_on(path, whole, session, day)
        return
    if found.attempts:
        output.echo("")
    for line in summary(added) if found.attempts else []:
        output.echo(line)


@command.command
@SINCE
@SESSION
@FILE
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    default=Path("attempts.html"),
    show_default=True,
    help="Where to write the page.",
)
@options.json_option
def report(since: str | None, session: str | None, file: Path | None, out: Path, as_json: bool) -> None:
    """Write a page (HTML) with a time line of each session, costs by provider, and switches by cause."""
    from datetime import UTC, datetime

    from opencode_patcher.attempts import page
    from opencode_patcher.base import files, resources
    from opencode_patcher.patchset.render import render_document

    moment, _, whole = read(since, file)
    found = whole.matching(since=moment, session=session)
    template = resources.templates() / "reports" / "attempts.html.j2"
    text = template.read_text(encoding="utf-8")
    values = page.values(found.attempts, datetime.now(UTC))
    files.write_text(out, render_document("reports/attempts.html.j2", text, values, template.parent, escape=True))
    if as_json:
        output.show_json({"attempts": len(found.attempts), "file": str(out)})
        return
    output.echo(f"Written: {out}")


def read(since: str | None, file: Path | None) -> tuple[datetime | None, Path, Log]:
    """The time that ``--since`` names, the log's path, and the whole log. Raises UsageError."""
    import os
    from datetime import datetime

    from opencode_patcher.attempts import log
    from opencode_patcher.attempts.since import parse

    path = file or log.standard_path(os.environ)
    return None if since is None else parse(since, datetime.now().astimezone()), path, log.read(path)


def show_lines(attempts: Iterable[Attempt], day: date | None) -> date | None:
    """Print a line for each attempt, and its date where that is not ``day`` any more; the last date."""
    from opencode_patcher.attempts.line import line

    for attempt in attempts:
        if attempt.start.astimezone().date() != day:
            day = attempt.start.astimezone().date()
            output.echo(f"{day:%Y-%m-%d}")
        output.echo(line(attempt, output.width()))
    return day


def follow_on(path: Path, whole: Log, session: str | None, day: date | None) -> None:
    """Print attempts that are not in ``whole`` until the user stops it, or the reader of the output is gone."""
    import time

    from opencode_patcher.attempts import log

    def wait() -> None:
        if not output.is_read():
            raise OutputClosed
        time.sleep(FOLLOW_EVERY)

    output.flush()
    for attempt in log.follow(path, whole, wait):
        if attempt.is_of(session):
            day = show_lines([attempt], day)
            output.flush()


def show_unknown(attempts: tuple[Attempt, ...], as_json: bool) -> None:
    """Show the failures that no row matched: a line for each kind, without keys, addresses and names of accounts."""
    from dataclasses import asdict

    from opencode_patcher.attempts.unknown import gather

    found = gather(attempts)
    if as_json:
        output.show_json({"unknown": [asdict(item) | {"last": item.last.isoformat()} for item in found]})
        return
    if not found:
        output.echo("Every failure in the log was known.")
        return
    output.show_table(
        ("provider", "model", "times", "last", "said"),
        [(item.provider, item.model, str(item.times), f"{item.last:%Y-%m-%d}", item.said) for item in found],
    )


def summary(added: Totals) -> list[str]:
    """Totals in words, a line each."""

    def counts(values: dict[str, int]) -> str:
        return ", ".join(f"{name} {count}" for name, count in values.items()) or "none"

    costs = ", ".join(f"{name} ${cost:.4f}" for name, cost in added.cost_by_provider.items())
    return [
        f"answered by:        {counts(dict(added.served_by))}",
        f"switches by cause:  {counts(dict(added.failovers_by_cause))}",
        f"retried:            {added.repeated}",
        f"cost by provider:   {costs}",
    ]


def as_data(attempts: tuple[Attempt, ...], added: Totals) -> dict[str, object]:
    """What ``--json`` prints: times in ISO 8601, costs in dollars."""
    from dataclasses import asdict

    def plain(attempt: Attempt) -> dict[str, object]:
        return asdict(attempt) | {"start": attempt.start.isoformat(), "end": attempt.end.isoformat()}

    return {"attempts": [plain(attempt) for attempt in attempts], "totals": asdict(added)}
