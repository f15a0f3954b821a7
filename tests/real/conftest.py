"""Fixtures for the tests against the real OpenCode source: ``make test-upstream``."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_patcher import pipeline
from opencode_patcher.progress import SilentReporter
from opencode_patcher.store import Store, open_store
from opencode_patcher.toolchain import bun as toolchain
from opencode_patcher.toolchain import catalogue, dependencies
from opencode_patcher.upstream import lock
from opencode_patcher.upstream.releases import Release

REAL_HOME = Path.home()
MISSING_FIXTURE = "packages/opencode/test/tool/fixtures/models-api.json"
"""Upstream's tests read a models catalogue here. It is megabytes large and left out of the tree; ours is put there."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A patched tree of the real release with upstream's tests and ours, its dependencies installed."""

    path: Path
    bun: Path
    release: Release


@pytest.fixture(autouse=True)
def real_settings(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How git reaches the source and npm its registry stays the user's here; nothing of it is written."""
    for variable, name in (("GIT_CONFIG_GLOBAL", ".gitconfig"), ("NPM_CONFIG_USERCONFIG", ".npmrc")):
        if (REAL_HOME / name).is_file():
            shutil.copy(REAL_HOME / name, isolated / name)
        monkeypatch.setenv(variable, str(isolated / name))


@pytest.fixture(scope="session")
def real_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store for the whole run."""
    return open_store(tmp_path_factory.mktemp("real") / "store")


@pytest.fixture(scope="session")
def workshop(real_store: Store) -> Workshop:
    """The release of the lock, patched, with tests and dependencies."""
    reporter = SilentReporter()
    locked = lock.read_lock()
    prepared = pipeline.prepare(pipeline.Request(with_tests=True), locked.release, real_store, reporter)
    program = toolchain.ensure(real_store, prepared.workspace.bun, reporter)
    dependencies.install(program, prepared.tree, reporter, real_store.logs / "install.log")
    fixture = prepared.tree.path / MISSING_FIXTURE
    fixture.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(catalogue.ensure(real_store, locked.catalogue, reporter).path, fixture)
    return Workshop(path=prepared.tree.path, bun=program.path, release=locked.release)


@pytest.fixture
def with_bun(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """The workshop, with its bun first on PATH: upstream's scripts call it by name."""
    monkeypatch.setenv("PATH", f"{workshop.bun.parent}{os.pathsep}{os.environ['PATH']}")
    return workshop
