"""``opencode-patcher failures``: what a provider's failure means."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import HelpfulGroup, options, output

if TYPE_CHECKING:
    from opencode_patcher.failures.explain import Explanation


@click.group(cls=HelpfulGroup)
def command() -> None:
    """Explain what a provider's failure means, and check rows for the table."""


@command.command
@click.argument("failure", metavar="FILE|TEXT")
@click.option("--status", type=click.IntRange(100, 599), metavar="CODE", help="The HTTP status of the answer.")
@options.json_option
def explain(failure: str, status: int | None, as_json: bool) -> None:
    """Say which row of the table decides a failure, and what follows from it.

    FILE or TEXT is an answer with its head (`HTTP/1.1 429 ...`), the body of one, an event of a stream, or what
    OpenCode has shown. `-` reads standard input.
    """
    from opencode_patcher.base import moments
    from opencode_patcher.failures import explain as explaining
    from opencode_patcher.failures.table import CLASSES

    now = datetime.now(UTC)
    found = explaining.explain(explaining.read(_text(failure), status=status), now=now)
    if as_json:
        output.show_json(_data(found))
        return
    fault, row = found.fault, found.fault.row
    output.echo(f"{fault.kind}: {CLASSES[fault.kind]}")
    output.echo(f"Decided by:  {f'{row.id} ({row.vendor})' if row else 'no row; the status alone, if there is one'}")
    if row:
        output.echo(f"Source:      {row.source} ({row.date})")
    output.echo(f"Shown:       {fault.message}")
    output.echo(f"Follows:     {found.follows}")
    if found.cooldown is not None and found.until is not None:
        named = "as the provider says" if fault.retry_after is not None else "no time is named; longer if it repeats"
        output.echo(f"Until:       {moments.until(found.until, now)}, {named}")


def _data(found: Explanation) -> dict[str, object]:
    """What ``--json`` prints: times in seconds and in ISO 8601."""
    fault, row = found.fault, found.fault.row
    return {
        "class": fault.kind,
        "scope": fault.scope,
        "about": fault.about,
        "status": fault.status,
        "row": None if row is None else {"id": row.id, "vendor": row.vendor, "source": row.source, "date": row.date},
        "named_seconds": None if fault.retry_after is None else fault.retry_after / 1000,
        "cooldown_seconds": None if found.cooldown is None else found.cooldown / 1000,
        "until": None if found.until is None else found.until.isoformat(),
        "shown": fault.message,
        "follows": found.follows,
    }


@command.command
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@options.json_option
def check(file: Path, as_json: bool) -> None:
    """Say what is wrong with the rows in FILE, a TOML file of [[failure]] rows."""
    from opencode_patcher.base.errors import UsageError
    from opencode_patcher.failures.check import check as checked

    text = _read(file)
    found = checked(text)
    if not found:
        if as_json:
            output.show_json({"file": str(file), "problems": []})
        else:
            output.echo(f"All checks passed: {file}")
        return
    lines = [f"{file}:{fault.line}: {f'{fault.row}: ' if fault.row else ''}{fault.what}" for fault in found]
    raise UsageError(
        f"{len(found)} {'problem' if len(found) == 1 else 'problems'} in {file}.",
        why="\n".join(lines),
        next_step="docs/failures.md has rows that pass.",
    )


def _text(failure: str) -> str:
    import os
    import sys

    if failure == "-":
        return sys.stdin.buffer.read(_MOST).decode("utf-8", "replace")
    # A body may be longer than any name of a file.
    if len(os.fsencode(failure)) < 1000 and "\n" not in failure and "\0" not in failure and Path(failure).is_file():
        return _read(Path(failure))
    return failure


_MOST = 10_000_000
"""Bytes of standard input that are read."""


def _read(path: Path) -> str:
    from opencode_patcher.base import files
    from opencode_patcher.base.errors import UsageError

    try:
        return files.read_text(path, errors="replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read.", why=f"{error.strerror or error}.") from error
