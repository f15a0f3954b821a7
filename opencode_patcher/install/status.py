"""``status``: what is installed, and whether it is as it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from opencode_patcher.base import files
from opencode_patcher.base import line as lines
from opencode_patcher.base.errors import ProcessError, UsageError
from opencode_patcher.base.line import Line
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release, version_of
from opencode_patcher.install import activate, builds, path_search, program, records
from opencode_patcher.install.builds import Build
from opencode_patcher.install.path_search import PathFinding
from opencode_patcher.install.records import Record
from opencode_patcher.install.systems.protocol import NOTHING, Occupant, System

FileState = Literal["good", "missing", "changed", "dead", "changed and dead"]
"""A record's file: as recorded and starting; gone; other content; not starting."""

Name = Literal["none", "current", "older", "replaced", "foreign", "broken"]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts, without a judgement.

    ``place`` is None when no bin directory is known; ``recorded`` says whether a build was activated there before;
    ``record`` and ``file`` are about the active build; ``newer`` is another trusted build, of the same or a newer
    release (see ``newer_build``); ``locked_build`` is the last trusted one of the locked release, and ``latest`` the
    last one made, which ``install`` uses by default; ``lacks`` is what the active build lacks (``Ingredients.lacks``).
    """

    place: Path | None
    recorded: bool
    occupant: Occupant
    record: Record | None
    file: FileState | None
    locked: Release
    newer: str | None
    locked_build: str | None
    latest: str | None
    path: PathFinding | None
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Status:
    """The judgement: the name of the state, the reason, and what to do (empty when nothing)."""

    name: Name
    why: str
    next_step: str
    facts: Facts

    @property
    def ready(self) -> bool:
        """Whether the command starts a working program of ours."""
        return self.name in ("current", "older") and self.facts.path is not None and self.facts.path.status == "first"


def line_of(store: Store, system: System) -> Line:
    """The line of the program that is installed under this name; without one, the line whose programs usually have the
    name.
    """
    active = activate.look(store, system).active
    found = lines.of_version(version_of(active.tag)) if active else lines.of_program(system.program)
    return found or lines.OPENCODE_1


def status(store: Store, system: System, environment: Mapping[str, str], locked: Release) -> Status:
    """Find the facts and judge them. Changes nothing. Raises StoreError and InstallError when something cannot be
    read."""
    return judge(find_facts(store, system, environment, locked))


def find_facts(store: Store, system: System, environment: Mapping[str, str], locked: Release) -> Facts:
    """Read the place, the records, the active file (which is started once) and PATH."""
    seen = activate.look(store, system)
    place, occupant = seen.state.place, seen.occupant
    if place is None:
        try:
            place = system.default_bin_dir(environment) / system.program
            occupant = system.occupant(place, store.installed, seen.records)
        except UsageError:
            occupant = NOTHING
    record = next((record for record in seen.records if record.build == occupant.build), None)
    stored = builds.list_builds(store)
    line = lines.of_version(locked.version) or lines.OPENCODE_1
    trusted = [build for build in stored if build.trusted and line.has(build.release.version)]
    active = next((build for build in stored if record and build.directory.name == record.build), None)
    of_lock = (build.directory.name for build in trusted if build.release.tag == locked.tag)
    return Facts(
        place=place,
        recorded=bool(seen.state.history),
        occupant=occupant,
        record=record,
        file=file_state(record) if record else None,
        locked=locked,
        newer=newer_build(trusted, record),
        locked_build=next(of_lock, None),
        latest=stored[0].directory.name if stored else None,
        path=path_search.find(system, place, environment) if place else None,
        lacks=active.ingredients.lacks if active else (),
    )


def newer_build(trusted: Sequence[Build], active: Record | None) -> str | None:
    """The newest of ``trusted`` (newest first) whose release is not older than that of ``active``; None if that is the
    build of ``active``. If the build of ``active`` was deleted, the newest one that is left counts, whenever it was
    made.
    """
    version = version_of(active.tag) if active else None
    if active is None or version is None:
        return None
    newest = next((build.directory.name for build in trusted if build.release.version >= version), None)
    return newest if newest != active.build else None


def file_state(record: Record) -> FileState:
    """Compare hashes, and start the file."""
    if not files.exists(record.file):
        return "missing"
    unchanged = records.is_unchanged(record)
    try:
        alive = program.version(record.file) == record.version or not unchanged
    except ProcessError:
        alive = False
    if unchanged:
        return "good" if alive else "dead"
    return "changed" if alive else "changed and dead"


def judge(facts: Facts) -> Status:
    """The state of an installation."""
    name, why, next_step = _judge(facts)
    return Status(name=name, why=why, next_step=next_step, facts=facts)


def _judge(facts: Facts) -> tuple[Name, str, str]:
    again = "To repair it: opencode-patcher install"
    if facts.occupant.kind == "nothing":
        if facts.recorded:
            return "broken", f"{facts.place} is gone.", again
        return "none", "Nothing is installed.", f"To install: {_steps(facts)}"
    if facts.occupant.kind == "other":
        why = f"{facts.place} is {facts.occupant.shown} that is not from opencode-patcher"
        keep = "(it is kept under another name): opencode-patcher install --replace"
        if facts.recorded:
            why = f"{why}; OpenCode's updater or another program replaced ours."
            return "replaced", why, f"To put ours back {keep}"
        return "foreign", f"{why}, and nothing of ours is installed.", f"To put ours in its place {keep}"
    if facts.record is None or facts.file == "missing":
        return (
            "broken",
            f"{facts.place} points to the build {facts.occupant.build}, which is gone from the store.",
            again,
        )
    if facts.file == "changed":
        return "replaced", f"{facts.record.file} is not the file that was installed; another program wrote it.", again
    if facts.file != "good":
        return "broken", f"{facts.record.file} does not start, or not as version {facts.record.version}.", again
    if _is_older(facts.record, facts.locked):
        why = f"{facts.record.tag} is installed; the release to build is {facts.locked.tag}."
        return "older", why, f"To update: {_steps(facts)}"
    newer = f"A newer build is in the store ({facts.newer}): {_install(facts, facts.newer)}" if facts.newer else ""
    return "current", f"{facts.record.tag} is installed and unchanged.", newer


def _steps(facts: Facts) -> str:
    """How to get the locked release."""
    if facts.locked_build:
        return _install(facts, facts.locked_build)
    return "opencode-patcher build, then opencode-patcher install"


def _install(facts: Facts, build: str) -> str:
    return "opencode-patcher install" + ("" if build == facts.latest else f" {build}")


def _is_older(record: Record, locked: Release) -> bool:
    version = version_of(record.tag)
    return version is not None and version < locked.version
