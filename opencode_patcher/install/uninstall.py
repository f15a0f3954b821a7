"""``uninstall``: remove our program and put back what was there before."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import InstallError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.install import activate
from opencode_patcher.install import state as states
from opencode_patcher.install.systems.protocol import System


@dataclass(frozen=True, kw_only=True)
class Removed:
    """``restored`` is the name under which the user's own program had been kept, None when there was none.

    ``untouched`` is True when something that is not ours was at ``place`` and was left there; ``left`` are kept files
    of the user's that were not put back.
    """

    place: Path
    restored: Path | None
    untouched: bool
    left: tuple[Path, ...]


def uninstall(store: Store, system: System, reporter: Reporter) -> Removed:
    """Undo every install under this name. Builds stay in the store. Raises InstallError and StoreError."""
    with store.mutex(
        states.LOCK, on_wait=lambda: reporter.note("Another install is running; waiting for it to finish.")
    ):
        seen = activate.look(store, system)
        place = seen.state.place
        if place is None:
            raise InstallError("Nothing is installed.", next_step="See what there is: opencode-patcher status")
        system.tidy(place)
        untouched = seen.occupant.kind == "other"
        kept = [path for path in seen.state.aside if os.path.lexists(path)]
        restored = kept.pop() if kept and not untouched else None
        if restored:
            system.restore(place, restored)
        elif not untouched:
            system.remove(place)
        states.forget(store, system.program)
        others = states.others(store, system.program).values()
        needed = {entry.build for other in others for entry in other.history}
        for record in seen.records:
            if record.build not in needed:
                files.remove_directory(record.directory)
        return Removed(place=place, restored=restored, untouched=untouched, left=tuple(kept))
