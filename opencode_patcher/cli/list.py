"""``opencode-patcher list``."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.install.builds import Build


@click.command
@options.json_option
def command(as_json: bool) -> None:
    """List the builds in the store, the newest first."""
    from datetime import UTC, datetime

    from opencode_patcher.base import moments
    from opencode_patcher.base.store import open_store
    from opencode_patcher.install import activate, builds
    from opencode_patcher.install import state as states
    from opencode_patcher.install.systems.current import current_system

    now = datetime.now(UTC)
    store = open_store()
    here = current_system()
    active = {activate.look(store, here).occupant.build, *states.active_elsewhere(store, here.program)}
    found = builds.list_builds(store)
    output.warn_of(builds.unreadable(store))
    if as_json:
        output.show_json({"builds": [as_data(build, active) for build in found]})
        return
    if not found:
        output.echo("There are no builds yet. Make one: opencode-patcher build")
        return
    rows = [
        (
            "installed" if build.directory.name in active else "",
            build.directory.name,
            build.ingredients.target,
            moments.since(datetime.fromtimestamp(build.built_at, UTC), now),
            f"{build.size / 1e6:.0f} MB",
            "yes" if build.verified else "by its release" if build.trusted else "no",
        )
        for build in found
    ]
    output.show_table(("", "build", "target", "built", "size", "verified"), rows)


def as_data(build: Build, active: Set[str | None]) -> dict[str, object]:
    """What ``--json`` prints about one build."""
    return {
        "build": build.directory.name,
        "tag": build.release.tag,
        "version": build.release.number,
        "target": build.ingredients.target,
        "built_at": built_at(build),
        "size": build.size,
        "verified": build.verified,
        "released": build.released,
        "installed": build.directory.name in active,
        "binary": str(build.binary),
    }


def built_at(build: Build) -> str:
    """When a build was made, ISO 8601 in UTC."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(build.built_at, UTC).isoformat(timespec="seconds")
