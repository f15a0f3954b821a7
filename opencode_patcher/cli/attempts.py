"""``opencode-patcher attempts``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.attempts.log import Attempt
    from opencode_patcher.attempts.totals import Totals


@click.command
@click.option(
    "--since", metavar="TIME", help="Only attempts after this: 30m, 2h, 7d, 2w, or a date such as 2026-01-31."
)
@options.file_option("--file", "The log to read.  [default: your OpenCode's]")
@click.option("--unknown", is_flag=True, help="Only failures that no row of the table knew, ready to paste.")
@options.json_option
def command(since: str | None, file: Path | None, unknown: bool, as_json: bool) -> None:
    """Show the requests of combined models: which provider answered, what failed, and what it cost."""
    import os
    from datetime import datetime

    from opencode_patcher.attempts import log, totals
    from opencode_patcher.attempts.since import parse

    path = file or log.standard_path(os.environ)
    found = log.read(path, since=None if since is None else parse(since, datetime.now().astimezone()))
    if unknown:
        show_unknown(found.attempts, as_json)
        return
    added = totals.add_up(found.attempts)
    if as_json:
        output.show_json(as_data(found.attempts, added) | {"unreadable": found.unreadable})
        return
    if found.unreadable:
        output.echo(f"Lines that cannot be read were left out: {found.unreadable}", err=True)
    if not found.attempts:
        output.echo(f"No attempts are recorded in {path}{' since then' if since else ''}.")
        return
    output.show_table(
        ("started", "session", "for", "member", "reached", "ended", "seconds", "tokens", "cost", "why"),
        [row(attempt) for attempt in found.attempts],
    )
    for line in summary(added):
        output.echo(line)


def show_unknown(attempts: tuple[Attempt, ...], as_json: bool) -> None:
    """What no row knew: a line for each kind, without keys, addresses and names of accounts."""
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


def row(attempt: Attempt) -> tuple[str, ...]:
    """The cells of one attempt, its times in the local zone."""
    return (
        attempt.start.astimezone().isoformat(sep=" ", timespec="seconds")[:19],
        attempt.session,
        attempt.purpose,
        f"{attempt.provider}/{attempt.model}{_variant(attempt)}",
        attempt.phase,
        attempt.action,
        f"{(attempt.end - attempt.start).total_seconds():.1f}",
        f"{attempt.tokens_in}+{attempt.tokens_out}",
        f"${attempt.cost:.4f}",
        "" if attempt.failure is None else f"{attempt.failure}: {attempt.reason or ''}",
    )


def _variant(attempt: Attempt) -> str:
    if attempt.variant is None:
        return ""
    if attempt.own_variant is None:
        return f" (without {attempt.variant})"
    return f" ({attempt.variant}{'' if attempt.own_variant == attempt.variant else f' as {attempt.own_variant}'})"


def summary(added: Totals) -> list[str]:
    """Totals in words, a line each."""

    def counts(values: dict[str, int]) -> str:
        return ", ".join(f"{name} {count}" for name, count in values.items()) or "none"

    costs = ", ".join(f"{name} ${cost:.4f}" for name, cost in added.cost_by_provider.items())
    return [
        f"served by:          {counts(dict(added.served_by))}",
        f"failovers by cause: {counts(dict(added.failovers_by_cause))}",
        f"asked again:        {added.repeated}",
        f"cost by provider:   {costs}",
    ]


def as_data(attempts: tuple[Attempt, ...], added: Totals) -> dict[str, object]:
    """What ``--json`` prints: times in ISO 8601, costs in dollars."""
    from dataclasses import asdict

    def plain(attempt: Attempt) -> dict[str, object]:
        return asdict(attempt) | {"start": attempt.start.isoformat(), "end": attempt.end.isoformat()}

    return {"attempts": [plain(attempt) for attempt in attempts], "totals": asdict(added)}
