"""All checks, in the order in which a build, an install and a failover need them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opencode_patcher.attempts import log
from opencode_patcher.base import store as storage
from opencode_patcher.base.errors import PatcherError
from opencode_patcher.base.files import is_dir
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.configuration import places, stock_config
from opencode_patcher.configuration.survey import survey
from opencode_patcher.doctor import avoided, configured, disk, installation, network, programs
from opencode_patcher.doctor.finding import Finding, of_error
from opencode_patcher.health import record
from opencode_patcher.install import builds, usable
from opencode_patcher.install.status import line_of
from opencode_patcher.install.status import status as install_status
from opencode_patcher.install.systems.protocol import System
from opencode_patcher.upstream import lock, remote


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What is examined: the user's ``environment`` and current ``directory``, the system, and the source of builds."""

    environment: Mapping[str, str]
    directory: Path
    system: System
    source: str


@dataclass(frozen=True, kw_only=True)
class _Progress:
    """Which steps of the locked release are already done in the store."""

    tree: Path | None
    dependencies: bool
    built: bool


def examine(patient: Examined, reporter: Reporter) -> Iterator[Finding]:
    """Every finding, one check after another. If a check fails, its error is the finding."""
    store, finding = _open_store()
    yield finding
    try:
        locked = (lock.current(store, line_of(store, patient.system)) if store else lock.read_lock()).release
    except PatcherError as error:
        yield of_error("lock", error)
        return
    progress = _progress(store, patient.source, locked)
    yield programs.check_git()
    required = programs.required_bun(progress.tree) if progress.tree else None
    yield programs.check_bun(store, required, patient.environment.get("PATH", ""))
    with reporter.phase("Asking the npm registry"):
        yield network.check_registry(patient.environment, needed=not (progress.dependencies or progress.built))
    with reporter.phase("Asking the source"):
        yield network.check_source(patient.source, locked, needed=progress.tree is None and not progress.built)
    if store:
        needed = disk.needed_bytes(tree_ready=progress.dependencies, built=progress.built)
        yield disk.check_disk(store.root, needed)
        yield from disk.check_place(store.root, Path(tempfile.gettempdir()))
        yield from filter(None, [disk.check_access(store.root)])
    status = None
    if store:
        for problem in builds.unreadable(store):
            yield of_error("builds", problem, level="warning")
        try:
            status = install_status(store, patient.system, patient.environment, locked)
        except PatcherError as error:
            yield of_error("installed", error)
    if status:
        yield installation.check_state(status)
        yield installation.check_path(status)
        yield from filter(None, [disk.check_access(status.facts.place.parent)] if status.facts.place else [])
    yield from _permissions(patient.environment)
    yield from _configuration(patient, store)
    if status:
        refused = stock_config.find(patient.environment, patient.directory)
        yield from configured.check_stock_lines(refused, installation.starts_stock(status))


def _open_store() -> tuple[Store | None, Finding]:
    try:
        store = storage.open_store()
    except PatcherError as error:
        return None, of_error("store", error)
    if not os.access(store.root, os.W_OK | os.X_OK):
        fix = f"Fix its permissions, or name another directory in {storage.HOME_VARIABLE}."
        return store, Finding(check="store", level="blocks", text=f"You may not write to {store.root}.", fix=fix)
    return store, Finding(check="store", level="good", text=f"{store.root}")


def _progress(store: Store | None, address: str, locked: Release) -> _Progress:
    if store is None:
        return _Progress(tree=None, dependencies=False, built=False)
    try:
        tree = store.trees / remote.path_of(store, address).name / locked.tag
        built = any(build.verified and build.release == locked for build in builds.list_builds(store))
    except PatcherError:
        # An unusable source is reported by its own check.
        return _Progress(tree=None, dependencies=False, built=False)
    ready = is_dir(tree / "node_modules")
    return _Progress(tree=tree if is_dir(tree) else None, dependencies=ready, built=built)


def _permissions(environment: Mapping[str, str]) -> Iterator[Finding]:
    """OpenCode's own directories, and what combined models keep there."""
    data, state = places.data_directory(environment), places.state_directory(environment)
    for directory in (data, state, places.config_directory(environment)):
        yield from filter(None, [disk.check_access(directory)] if directory else [])
    kept = [data / name for name in (log.NAME, f"{log.NAME}.1")] if data else []
    kept += [state / name for name in (record.NAME, "combined-health.key")] if state else []
    yield from filter(None, map(disk.check_own_file, kept))


def _configuration(patient: Examined, store: Store | None) -> Iterator[Finding]:
    try:
        asked = usable.find(store, patient.system) if store else None
    except PatcherError:  # What is installed has a check of its own.
        asked = None
    surveyed = survey(
        patient.environment,
        patient.directory,
        asked.file if asked else None,
        line=asked.line if asked else OPENCODE_1,
    )
    yield from configured.check_configuration(surveyed.findings)
    yield from configured.check_providers(surveyed, asked)
    if state := places.state_directory(patient.environment):
        yield from avoided.check_health(state / record.NAME, surveyed.report, datetime.now(UTC))
