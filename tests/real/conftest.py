"""Fixtures for the tests against the real OpenCode source: ``make test-upstream``."""

from __future__ import annotations

import io
import json
import os
import platform
import shutil
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from opencode_patcher import pipeline
from opencode_patcher.base import process
from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import HOME_VARIABLE, Store, open_store
from opencode_patcher.toolchain import bun as toolchain
from opencode_patcher.toolchain import catalogue, dependencies, npm_registry, npm_settings
from opencode_patcher.upstream import lock
from opencode_patcher.upstream.lock import Lock
from tests.isolation import Isolation
from tests.real.workshop import FIXTURE, Workshop

STOCK_PACKAGE = "opencode-linux-x64"

SETTINGS = (".gitconfig", ".npmrc", ".bunfig.toml")
"""How git reaches the source and npm its registry stays the user's here; nothing of it is written."""


@pytest.fixture(autouse=True)
def real_settings(isolation: Isolation, isolated: Path) -> Iterator[None]:
    isolation.lend(isolated, SETTINGS)
    with isolation.network():
        yield


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that all processes of a run share."""
    own = tmp_path_factory.getbasetemp()
    common = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "common"
    common.mkdir(exist_ok=True)
    return common


@pytest.fixture(scope="session", autouse=True)
def shared_settings(isolation: Isolation, session_home: Path, common: Path) -> Iterator[None]:
    """How the network is reached, and one place for packages: each test has a home of its own, without any."""
    isolation.lend(session_home, SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUN_INSTALL_CACHE_DIR", str(common / "bun-cache"))
        yield


@pytest.fixture(scope="session")
def real_store(common: Path) -> Store:
    """A store for the whole run."""
    return open_store(common / "real" / "store")


def make_workshop(request: Request, locked: Lock, store: Store) -> Workshop:
    """The lock's release of a line, patched, with tests and dependencies."""
    reporter = SilentReporter()
    prepared = pipeline.prepare(replace(request, with_tests=True), locked.release, store, reporter)
    program = toolchain.ensure(store, prepared.workspace.bun, locked.bun, reporter)
    log = store.logs / "install.log"
    dependencies.install(program, prepared.tree, reporter, log, packages=request.packages)
    return Workshop(path=prepared.tree.path, bun=program.path, release=locked.release)


@pytest.fixture(scope="session")
def workshop(common: Path, real_store: Store, isolation: Isolation) -> Workshop:
    """That of OpenCode 1, with a models catalogue; made by the first process that needs it."""
    locked = lock.read_lock()
    about = common / "workshop.json"
    with FileLock(f"{about}.lock"), isolation.network():
        if not about.exists():
            made = make_workshop(Request(), locked, real_store)
            pinned = catalogue.ensure(real_store, locked.catalogue, SilentReporter()).path
            fixture = made.path / FIXTURE
            fixture.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pinned, fixture)
            about.write_text(json.dumps({"path": str(made.path), "bun": str(made.bun)}))
    said = json.loads(about.read_text())
    return Workshop(path=Path(said["path"]), bun=Path(said["bun"]), release=locked.release)


@pytest.fixture(scope="session")
def place(common: Path) -> Path:
    """A store of its own for the command line, kept for the whole run."""
    return common / "command-line" / "store"


@pytest.fixture
def bun_on_path(bun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bun for the command line to find; it gets another one when this is not the release's."""
    monkeypatch.setenv("PATH", f"{bun.parent}{os.pathsep}{os.environ['PATH']}")


@dataclass(frozen=True, kw_only=True)
class Built:
    """What ``build`` has printed for people, and then, when there was nothing left to do, for machines."""

    text: str
    data: Mapping[str, Any]


@pytest.fixture
def built(place: Path, bun_on_path: None) -> Built:
    """The command line's build of the lock's release; made by the first process that needs it."""
    about = place.parent / "build.json"
    about.parent.mkdir(exist_ok=True)
    with FileLock(f"{about}.lock"):
        if not about.exists():
            command = [sys.executable, "-m", "opencode_patcher", "build", "--web-ui", "off"]
            text = process.run(command, env={HOME_VARIABLE: str(place)}).stdout
            data = json.loads(process.run([*command, "--json"], env={HOME_VARIABLE: str(place)}).stdout)
            about.write_text(json.dumps({"text": text, "data": data}))
    return Built(**json.loads(about.read_text()))


@pytest.fixture
def patched(built: Built) -> Path:
    """The binary of that build."""
    return Path(built.data["binary"])


@pytest.fixture(scope="session")
def stock_archive(isolation: Isolation, shared_settings: None) -> bytes:
    """Upstream's own binary of the lock's release for Linux on x64, as it is packed in the npm registry.

    Tests that need it are skipped where the registry does not have it.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip(f"NOT TESTED: {STOCK_PACKAGE} does not run here")
    settings = npm_settings.read_settings()
    try:
        with isolation.network():
            found = npm_registry.find(settings, STOCK_PACKAGE, lock.read_lock().release.number)
            return npm_registry.download(settings, found)
    except ToolchainError as error:
        pytest.skip(f"NOT TESTED, no stock binary to be had: {error}")


@pytest.fixture
def stock(stock_archive: bytes, tmp_path: Path) -> Path:
    """The stock binary, ready to be started."""
    path = tmp_path / "stock" / "opencode"
    path.parent.mkdir()
    with tarfile.open(fileobj=io.BytesIO(stock_archive)) as archive:
        packed = archive.extractfile("package/bin/opencode")
        assert packed
        path.write_bytes(packed.read())
    path.chmod(0o755)
    return path


def put_bun_first(workshop: Workshop, patch: pytest.MonkeyPatch) -> None:
    """Upstream's scripts call bun by name."""
    patch.setenv("PATH", f"{workshop.bun.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def with_bun(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """The workshop, with its bun first on PATH."""
    put_bun_first(workshop, monkeypatch)
    return workshop
