"""``install``: make a build the program that the user's shell starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import InstallError, UsageError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.text import brief
from opencode_patcher.install import backup, place, program, records
from opencode_patcher.install import state as states
from opencode_patcher.install.builds import Build
from opencode_patcher.install.failure import install_errors
from opencode_patcher.install.records import Record
from opencode_patcher.install.state import InstallState
from opencode_patcher.install.systems.protocol import NOTHING, Occupant, System


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is there before anything is changed: the recorded state, all records, and the occupant of the place."""

    state: InstallState
    records: tuple[Record, ...]
    occupant: Occupant

    @property
    def active(self) -> Record | None:
        """The record of the program that the place starts now."""
        if self.occupant.kind != "ours":
            return None
        return next((record for record in self.records if record.build == self.occupant.build), None)


@dataclass(frozen=True, kw_only=True)
class Installed:
    """The result: the active record, its place, the build that was active before, and where the user's file was moved.

    ``closed`` is a directory that other users cannot enter, so they cannot start the program although they can reach
    its place.
    """

    record: Record
    place: Path
    previous: str | None
    moved_to: Path | None
    closed: Path | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an install would do: make ``build`` start from ``place``, where ``occupant`` is now."""

    build: str
    version: str
    place: Path
    occupant: Occupant

    @property
    def changes(self) -> bool:
        """Whether anything would change."""
        return not (self.occupant.kind == "ours" and self.occupant.build == self.build)


def look(store: Store, system: System) -> Situation:
    """Find out what is installed. Changes nothing. Raises StoreError when the state cannot be read."""
    state = states.read(store, system.program)
    known = records.read_all(store)
    occupant = system.occupant(state.place, store.installed, known) if state.place else NOTHING
    return Situation(state=state, records=known, occupant=occupant)


def choose_build(found: tuple[Build, ...], wanted: str | None, *, unverified: bool = False) -> Build:
    """The build that ``wanted`` (a version, a tag, or a build's name) means; None means the newest.

    A build's name may be abbreviated after its version, as in ``1.18.3-4f``.

    ``found`` is newest first. Raises UsageError when there is none, and InstallError when it has not passed the drill
    and is not from a release, unless ``unverified``.
    """
    if not found:
        raise UsageError("There are no builds to install.", next_step="Make one: opencode-patcher build")
    build = next(iter(_meant(found, wanted)), None)
    if build is None:
        raise UsageError(
            f"There is no build {brief(wanted or '')}.",
            why="Builds in the store: " + ", ".join(build.directory.name for build in found),
            next_step=f"Name one of them, or make it: opencode-patcher build {brief(wanted or '')}",
        )
    if build.trusted or unverified:
        return build
    failed = ", ".join(build.drill.failed) if build.drill else ""
    raise InstallError(
        f"The build {build.directory.name} is not verified.",
        why=f"It failed these scenarios: {failed}." if failed else "The drill has not finished.",
        next_step=f"Run opencode-patcher build {build.release.tag} again, or add --unverified to install it as it is.",
    )


def command_for(found: Sequence[Build], name: str) -> str:
    """The command that installs the build with this name; empty when it is not among ``found``."""
    build = next((build for build in found if build.directory.name == name), None)
    if build is None:
        return ""
    return f"opencode-patcher install {name}" + ("" if build.trusted else " --unverified")


def _meant(found: tuple[Build, ...], wanted: str | None) -> list[Build]:
    """The builds that ``wanted`` can mean. Part of a version does not match: 1.17.1 is not 1.17.12."""
    if wanted is None:
        return list(found)
    whole = [build for build in found if wanted in (build.release.number, build.release.tag, build.directory.name)]
    started = [build for build in found if "-" in wanted and build.directory.name.startswith(wanted)]
    return whole or started


def install(
    store: Store,
    system: System,
    build: Build,
    environment: Mapping[str, str],
    reporter: Reporter,
    *,
    bin_dir: Path | None = None,
    replace_other: bool = False,
) -> Installed:
    """Activate a build. The switch is one step; before it, and if it fails, what was there before stays.

    ``environment`` says where the bin directory is unless ``bin_dir`` does. If something that is not ours is at the
    place, it is an error, or with ``replace_other`` that is kept under another name (see ``backup``). Raises
    UsageError, InstallError and StoreError.
    """
    with store.mutex(
        states.LOCK, on_wait=lambda: reporter.note("Another install is running; waiting for it to finish.")
    ):
        seen = look(store, system)
        where = _where(store, system, environment, seen, bin_dir)
        system.tidy(where)
        seen = replace(seen, occupant=_occupant(store, system, build, where, seen, replace_other=replace_other))
        with reporter.phase(f"Checking {build.directory.name}") as phase:
            records.check_build(build)
            record = records.keep(store, build, system.take)
            program.check_starts(record.file, record.version, record.target)
            phase.detail(f"starts, version {record.version}")
        history = states.with_active(seen.state.history, seen.occupant.build)
        return put(store, system, where, record, replace(seen.state, history=history), seen.occupant)


def plan(
    store: Store,
    system: System,
    build: Build,
    environment: Mapping[str, str],
    *,
    bin_dir: Path | None = None,
    replace_other: bool = False,
) -> Plan:
    """What ``install`` would do with the same arguments. Changes nothing. Raises what ``install`` raises."""
    seen = look(store, system)
    where = _where(store, system, environment, seen, bin_dir)
    occupant = _occupant(store, system, build, where, seen, replace_other=replace_other)
    return Plan(build=build.directory.name, version=build.release.number, place=where, occupant=occupant)


def _where(store: Store, system: System, environment: Mapping[str, str], seen: Situation, bin_dir: Path | None) -> Path:
    """The place for the program. Raises UsageError."""
    recorded = seen.state.place
    where = place.choose(
        system,
        environment,
        wanted=bin_dir,
        active=recorded if seen.occupant.kind == "ours" else None,
        recorded=recorded,
    )
    place.check_outside(where.parent, store.root)
    return where


def _occupant(
    store: Store, system: System, build: Build, where: Path, seen: Situation, *, replace_other: bool
) -> Occupant:
    """The occupant of ``where``, after checking that the build may replace it. Raises InstallError."""
    occupant = system.occupant(where, store.installed, seen.records)
    check_occupant(where, occupant, replace_other=replace_other)
    place.check_bin_dir(where.parent)
    place.check_running_file(system.running_file(where, store.installed / build.directory.name / build.name))
    return occupant


def put(
    store: Store, system: System, where: Path, record: Record, state: InstallState, occupant: Occupant
) -> Installed:
    """Switch ``where`` to a record that was checked, and add it to the history in ``state``.

    The caller holds the install lock. Raises InstallError and StoreError.
    """
    with install_errors(where.parent):
        where.parent.mkdir(parents=True, exist_ok=True)
    prepared = replace(state, place=where)
    moved_to = None
    if occupant.kind == "other":
        moved_to = backup.keep(where)
        prepared = replace(prepared, aside=(*(path for path in state.aside if path != moved_to), moved_to))
    # Only the state says where the place is and what is kept there, so a run killed after the switch must have written
    # both. Also, a full or read-only store should be noticed before the switch, not after it.
    states.write(store, prepared, system.program)
    system.switch(where, record.file)
    done = replace(prepared, history=states.activated(state.history, record.build))
    states.write(store, done, system.program)
    return Installed(
        record=record,
        place=where,
        previous=occupant.build,
        moved_to=moved_to,
        closed=place.closed_to_others(where, system.running_file(where, record.file)),
    )


def check_occupant(where: Path, occupant: Occupant, *, replace_other: bool) -> None:
    """Raises InstallError when something that is not ours is at the place and may not be replaced without asking."""
    if occupant.kind != "other":
        return
    if files.is_dir(where) and not files.is_link(where):
        raise InstallError(
            f"{where} is a directory.",
            next_step="Move it away, or name another directory with --bin-dir.",
        )
    if not replace_other:
        raise InstallError(
            f"{where} is not from opencode-patcher.",
            why=f"It is {occupant.shown}, and your files are not replaced without asking.",
            next_step=f"To keep it as {where.name}{backup.SUFFIX} and install in its place:\n"
            "opencode-patcher install --replace\n"
            "To use another directory: opencode-patcher install --bin-dir DIR",
        )
