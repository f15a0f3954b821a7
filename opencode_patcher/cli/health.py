"""``opencode-patcher health``: which provider is avoided, why, and until when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import OutputClosed
from opencode_patcher.cli import completion, options, output

if TYPE_CHECKING:
    from opencode_patcher.health.record import Cooldown, Health, Steer, Window

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
@click.argument("member", required=False, shell_complete=completion.avoided)
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


@command.command
@click.argument("model", metavar="MODEL", shell_complete=completion.own_models)
@click.argument("member", metavar="MEMBER", shell_complete=completion.members)
@FILE
@options.json_option
def pin(model: str, member: str, file: Path | None, as_json: bool) -> None:
    """Ask only one member for a combined model, in all sessions on this machine.

    MODEL is combined/NAME. MEMBER is PROVIDER/MODEL, or a provider for all of its offers. If it fails, the turn ends
    with its error. Running OpenCode processes follow with their next request.
    """
    from opencode_patcher.health import steer

    model = model.removeprefix("combined/")
    found = steer.pin(file or standard_path(), model, member)
    show_change(found, f"Only {member} is asked for combined/{model} now.", as_json)


@command.command
@click.argument("member", metavar="MEMBER", shell_complete=completion.members)
@FILE
@options.json_option
def skip(member: str, file: Path | None, as_json: bool) -> None:
    """Stop asking a member, in all sessions on this machine.

    MEMBER is PROVIDER/MODEL, or a provider with all its models. Running OpenCode processes follow with their next
    request.
    """
    from opencode_patcher.health import steer

    found = steer.skip(file or standard_path(), member)
    show_change(found, f"{member} is no longer asked.", as_json)


@command.command
@click.argument("name", required=False, metavar="[MODEL|MEMBER]", shell_complete=completion.members)
@FILE
@options.json_option
def reset(name: str | None, file: Path | None, as_json: bool) -> None:
    """End the pin of a combined model or the skip of a member; without a name, all of them."""
    from opencode_patcher.health import steer

    found = steer.reset(file or standard_path(), name)
    show_change(found, f"{name or 'Everything'} is asked in the usual order again.", as_json)


def show_change(found: Steer, text: str, as_json: bool) -> None:
    if as_json:
        output.show_json({"pins": dict(found.pins), "skips": list(found.skips)})
        return
    output.echo(text)
    show_steer(found)


def show_steer(found: Steer) -> None:
    """The pins and skips that hold, and how to end them."""
    for model, member in found.pins.items():
        output.echo(f"combined/{model}: pinned to {member}")
    for member in found.skips:
        output.echo(f"{member}: skipped")
    if found:
        output.echo("To end that: opencode-patcher health reset")


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
        state = (found.cooldowns, found.windows, found.steer)
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
    from opencode_patcher.base import moments

    if not found.cooldowns:
        output.echo("No provider is being avoided.")
    for item in found.cooldowns:
        again = f", failed {item.failures} times in a row" if item.failures > 1 else ""
        output.echo(f"{item.name}: avoided until {moments.until(item.until, found.now)} ({item.kind}{again})")
        output.echo(f"  {item.message}")
    for window in found.windows:
        output.echo(f"{window.provider}: {used(window)}, until {moments.until(window.ends, found.now)}")
    if found.cooldowns:
        output.echo("To ask one again now: opencode-patcher health clear MEMBER")
    show_steer(found.steer)


def used(window: Window) -> str:
    return f"{window.used * 100:.0f} % of the {window.name} used"


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
        "pins": dict(found.steer.pins),
        "skips": list(found.steer.skips),
    }
