"""``opencode-patcher health``: which provider is avoided, why, and until when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import OutputClosed
from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from datetime import datetime

    from opencode_patcher.health.record import Cooldown, Health, Window

WATCH_EVERY = 0.5
"""Seconds between two looks at the file."""

FILE = options.file_option("--file", "The file to read.  [default: your OpenCode's]")


@click.group(invoke_without_command=True)
@FILE
@click.option("--watch", "-w", is_flag=True, help="Show each change, until Ctrl-C.")
@options.json_option
@click.pass_context
def command(ctx: click.Context, file: Path | None, watch: bool, as_json: bool) -> None:
    """Show which providers of combined models are avoided, why and until when, and how much of your plans is used.

    All of your OpenCode processes share this. With --json --watch there is one object for each change, on a line.
    """
    from datetime import UTC, datetime

    from opencode_patcher.health import record

    if ctx.invoked_subcommand is not None:
        return
    path = file or standard_path()
    if watch:
        watch_on(path, as_json)
    found = record.read(path, datetime.now(UTC))
    if as_json:
        output.show_json(as_data(found))
        return
    show(found)


@command.command
@click.argument("member", required=False)
@FILE
@options.json_option
def clear(member: str | None, file: Path | None, as_json: bool) -> None:
    """Ask a provider again now, or all of them.

    MEMBER is a provider (with all its models) or PROVIDER/MODEL. Without it everything is forgotten: cooldowns, earlier
    failures, and what is known about plans. Running OpenCode processes follow at once.
    """
    from datetime import UTC, datetime

    from opencode_patcher.health.clear import clear as end

    ended = end(file or standard_path(), member, datetime.now(UTC))
    if as_json:
        output.show_json({"cleared": [item.name for item in ended]})
        return
    if not ended:
        output.echo("No provider was being avoided. What was known about earlier failures and plans is forgotten.")
    for item in ended:
        output.echo(f"{item.name} can be asked again now.")


def standard_path() -> Path:
    import os

    from opencode_patcher.health import record

    return record.standard_path(os.environ)


def watch_on(path: Path, as_json: bool) -> None:
    """Show the state, and again whenever it has changed, until the user stops it or the reader is gone."""
    import time
    from datetime import UTC, datetime

    from opencode_patcher.health import record

    before: object = None
    while True:
        if not output.is_read():
            raise OutputClosed
        found = record.read(path, datetime.now(UTC))
        state = (found.cooldowns, found.windows)
        if state != before:
            before = state
            if as_json:
                output.show_json(as_data(found), indent=None)
            else:
                output.echo(f"--- {found.now.astimezone():%H:%M:%S}")
                show(found)
            output.flush()
        time.sleep(WATCH_EVERY)


def show(found: Health) -> None:
    """What people read: a line for each cooldown, with its reason below it."""
    if not found.cooldowns:
        output.echo("No provider is being avoided.")
    for item in found.cooldowns:
        again = f", failed {item.failures} times in a row" if item.failures > 1 else ""
        output.echo(f"{item.name}: avoided until {until(item.until, found.now)} ({item.kind}{again})")
        output.echo(f"  {item.message}")
    for window in found.windows:
        output.echo(f"{window.provider}: {used(window)}, until {until(window.ends, found.now)}")
    if found.cooldowns:
        output.echo("To ask one again now: opencode-patcher health clear MEMBER")


def used(window: Window) -> str:
    return f"{window.used * 100:.0f} % of the {window.name} used"


def until(moment: datetime, now: datetime) -> str:
    """A time as people say it: ``14:05 (in 12 min)``, with its date if that is not today."""
    from math import ceil

    there, here = moment.astimezone(), now.astimezone()
    form = "%H:%M" if there.date() == here.date() else "%Y-%m-%d %H:%M"
    seconds = (moment - now).total_seconds()
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{there.strftime(form)} (in {round(seconds / length)} {unit})"
    return f"{there.strftime(form)} (in {ceil(max(seconds, 0))} s)"


def as_data(found: Health) -> dict[str, object]:
    """What ``--json`` prints; times in ISO 8601."""

    def cooldown(item: Cooldown) -> dict[str, object]:
        return {
            "member": item.name,
            "provider": item.provider,
            "model": item.model,
            "class": item.kind,
            "message": item.message,
            "since": item.since.isoformat(),
            "until": item.until.isoformat(),
            "failures": item.failures,
        }

    def window(item: Window) -> dict[str, object]:
        return {
            "provider": item.provider,
            "window": item.name,
            "used": item.used,
            "at": item.at.isoformat(),
            "ends": item.ends.isoformat(),
        }

    return {
        "now": found.now.isoformat(),
        "avoided": [cooldown(item) for item in found.cooldowns],
        "plans": [window(item) for item in found.windows],
    }
