"""``opencode-patcher status``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import installed, options, output

if TYPE_CHECKING:
    from opencode_patcher.install.status import Status

_COLOURS = {"current": "green", "older": "yellow", "none": "yellow"}


@click.command
@options.name_option
@options.json_option
@click.pass_context
def command(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """Show what is installed, and whether it is current.

    The state is one of: none, current, older (than the release that `build` makes), replaced (by OpenCode's updater or
    another program), foreign (an `opencode` that is not ours), broken. The exit code is 0 when the command `opencode`
    starts a working program of ours, otherwise 1.
    """
    import os

    from opencode_patcher.base.store import open_store
    from opencode_patcher.install import builds, status
    from opencode_patcher.install import state as states
    from opencode_patcher.install.systems.current import current_system
    from opencode_patcher.upstream.lock import current

    store = open_store()
    output.warn_of(builds.unreadable(store))
    here = current_system(states.meant(store, name))
    found = status.status(store, here, os.environ, current(store, status.line_of(store, here)).release)
    others = sorted(states.others(store, here.program))
    if as_json:
        output.show_json(as_data(found))
    else:
        show(found, others)
    ctx.exit(0 if found.ready else 1)


def as_data(found: Status) -> dict[str, object]:
    """What ``--json`` prints."""
    facts, record = found.facts, found.facts.record
    return {
        "state": found.name,
        "ready": found.ready,
        "why": found.why,
        "next_step": found.next_step or None,
        "place": str(facts.place) if facts.place else None,
        "build": record.build if record else None,
        "version": record.version if record else None,
        "commit": record.commit if record else None,
        "file": str(record.file) if record else None,
        "sha256": record.sha256 if record else None,
        "lacks": list(facts.lacks),
        "newer_build": facts.newer,
        "lock": {"tag": facts.locked.tag, "commit": facts.locked.commit},
        "path": installed.path_data(facts.path) if facts.path else None,
    }


def show(found: Status, others: Sequence[str] = ()) -> None:
    """The state, the active build, and what to do; ``others`` are names under which something is installed as well."""
    from opencode_patcher.install import path_search

    facts, record = found.facts, found.facts.record
    output.paragraph(output.paint(found.name, _COLOURS.get(found.name, "red"), bold=True), f": {found.why}")
    if found.next_step:
        output.paragraph(found.next_step)
    if record:
        output.echo(f"Build:   {record.build} (OpenCode {record.version}, {record.target})")
        output.echo(f"Program: {facts.place} -> {record.file}")
    for lack in facts.lacks:
        output.paragraph(lack)
    output.echo(f"Lock:    {facts.locked.tag} ({facts.locked.commit[:12]})")
    if facts.path and (advice := path_search.advice(facts.path)):
        output.echo()
        output.paragraph(advice)
    elif record:
        output.echo(f"PATH:    the command `{facts.place.stem if facts.place else ''}` starts it.")
    for other in others:
        output.echo(f"Also installed as {other}: opencode-patcher status --name {other}")
