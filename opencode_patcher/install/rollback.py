"""``rollback``: reactivate the previous build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from opencode_patcher.base.errors import InstallError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.install import activate, program, records
from opencode_patcher.install import state as states
from opencode_patcher.install.activate import Installed, Situation
from opencode_patcher.install.state import Activation
from opencode_patcher.install.systems.protocol import System


def rollback(store: Store, system: System, reporter: Reporter) -> Installed:
    """Activate the build that was active before the current one; when run again, the one before that.

    Raises InstallError when there is none, or it does not start; then nothing is changed.
    """
    with store.mutex(
        states.LOCK, on_wait=lambda: reporter.note("Another install is running; waiting for it to finish.")
    ):
        place = states.read(store, system.program).place
        if place:
            system.tidy(place)
        seen = activate.look(store, system)
        if seen.state.place is None:
            raise InstallError("Nothing is installed.", next_step="Install a build: opencode-patcher install")
        activate.check_occupant(seen.state.place, seen.occupant, replace_other=False)
        history = states.with_active(seen.state.history, seen.occupant.build)
        known = {record.build: record for record in seen.records}
        earlier = history_before(history, lambda build: build in known and records.is_unchanged(known[build]))
        if not earlier:
            raise _nothing_earlier(seen)
        record = known[earlier[-1].build]
        with reporter.phase(f"Checking {record.build}") as phase:
            program.check_starts(record.file, record.version, record.target)
            phase.detail(f"starts, version {record.version}")
        state = replace(seen.state, history=earlier)
        return activate.put(store, system, seen.state.place, record, state, seen.occupant)


def history_before(history: tuple[Activation, ...], is_usable: Callable[[str], bool]) -> tuple[Activation, ...]:
    """The history up to the last activation of a usable build other than the current one.

    ``is_usable`` reads a large file, so it is called no more often than necessary. The current build is the last of
    ``history``; the result is empty when there is nothing to go back to.
    """
    for end in range(len(history) - 1, 0, -1):
        build = history[end - 1].build
        if build != history[-1].build and is_usable(build):
            return history[:end]
    return ()


def _nothing_earlier(seen: Situation) -> InstallError:
    kept = seen.state.aside
    return InstallError(
        "There is no earlier build to go back to.",
        why=f"What was there before opencode-patcher is kept as {kept[-1]}." if kept else "",
        next_step="To remove everything: opencode-patcher uninstall\nTo see the builds: opencode-patcher list",
    )
