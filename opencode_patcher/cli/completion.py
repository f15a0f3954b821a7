"""Values that a shell completes: scenarios, members, builds, release tags, combined models.

A shell waits for these, so nothing here starts a program or uses the network, and whatever fails completes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click


def _quiet(values: Callable[[], Iterable[str]]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    def complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        try:
            return sorted({value for value in values() if value.startswith(incomplete)})
        except Exception:
            return []

    return complete


def _scenarios() -> Iterable[str]:
    from opencode_patcher import drill

    return [scenario.name for scenario in drill.select((), quick=False)]


def _builds() -> Iterable[str]:
    from opencode_patcher.base import store as storage
    from opencode_patcher.install import builds

    store = storage.existing()
    found = builds.list_builds(store) if store else ()
    return {name for build in found for name in (build.directory.name, build.release.number)}


def _tags() -> Iterable[str]:
    from opencode_patcher.base import store as storage
    from opencode_patcher.base.line import LINES
    from opencode_patcher.upstream import lock

    known = {lock.read_lock(lock.packed_file(line)).release.tag for line in LINES}
    if store := storage.existing():
        known |= {path.name for path in store.trees.glob("*/v*")}
    return known


def _avoided() -> Iterable[str]:
    import os
    from datetime import UTC, datetime

    from opencode_patcher.health import record

    found = record.read(record.standard_path(os.environ), datetime.now(UTC)).cooldowns
    return {name for item in found for name in (item.name, item.provider)}


def _members() -> Iterable[str]:
    """Members that have failed or answered: those of the log and of the health file."""
    import os

    from opencode_patcher.attempts import log

    found = log.read(log.standard_path(os.environ)).attempts
    named = {name for item in found for name in (item.provider, f"{item.provider}/{item.model}")}
    return named | set(_avoided())


def _own_models() -> Iterable[str]:
    """Combined models that were used."""
    import os

    from opencode_patcher.attempts import log

    return {f"combined/{item.combined}" for item in log.read(log.standard_path(os.environ)).attempts}


def _sessions() -> Iterable[str]:
    import os

    from opencode_patcher.attempts import log

    return {item.session for item in log.read(log.standard_path(os.environ)).attempts}


def _patches() -> Iterable[str]:
    from opencode_patcher.base import resources
    from opencode_patcher.base.line import LINES

    return {path.stem for line in LINES for path in resources.patches(line).glob("*.patch")}


def _targets() -> Iterable[str]:
    from opencode_patcher.toolchain import targets as known

    return (*known.NAMES, known.ALL)


targets = _quiet(_targets)
scenarios = _quiet(_scenarios)
builds = _quiet(_builds)
tags = _quiet(_tags)
avoided = _quiet(_avoided)
members = _quiet(_members)
patches = _quiet(_patches)
own_models = _quiet(_own_models)
sessions = _quiet(_sessions)
