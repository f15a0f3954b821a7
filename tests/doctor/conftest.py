"""Fixtures: a user for whom everything is fine, so that each test breaks one thing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencode_patcher.base.store import open_store
from opencode_patcher.base.version import Release
from opencode_patcher.toolchain import platforms
from opencode_patcher.upstream import lock
from tests.doctor.doctor_samples import Patient, saying, write_opencode_files
from tests.install.install_samples import make_build, program
from tests.toolchain.fake_registry import Registry, serve
from tests.upstream.fake_upstream import WORKSPACE, Upstream


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry that has bun, and is the one that the user's environment names."""
    for name in list(os.environ):
        if name.lower().startswith("npm_config_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    made = Registry()
    server = serve(made)
    made.add(platforms.bun_package(platforms.detect()), "1.3.14", b"")
    monkeypatch.setenv("npm_config_registry", made.url)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """A source with one release, which is that of the lock."""
    made = Upstream(tmp_path / "upstream")
    made.release("v1.17.90", WORKSPACE)
    commit = made.git("rev-parse", "v1.17.90^{commit}")
    locked = lock.read_lock()
    of_test = lock.Lock(
        release=Release(tag="v1.17.90", version=(1, 17, 90), commit=commit), catalogue=locked.catalogue, bun=locked.bun
    )
    monkeypatch.setattr(lock, "read_lock", lambda *_: of_test)
    return made


@pytest.fixture
def patient(
    registry: Registry, upstream: Upstream, isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Patient:
    """The release of the lock is built, installed and first on PATH; two providers have a model in common."""
    bin_dir, tools = isolated / ".local" / "bin", tmp_path / "tools"
    program(tools / "bun", "bun", "1.3.14")
    monkeypatch.setenv("PATH", os.pathsep.join([str(bin_dir), str(tools), os.environ["PATH"]]))
    monkeypatch.setenv("OPENCODE_TEST_MANAGED_CONFIG_DIR", str(tmp_path / "managed"))
    work = tmp_path / "work"
    (work / ".git").mkdir(parents=True)
    monkeypatch.chdir(work)
    write_opencode_files(isolated)
    report = tmp_path / "report.json"
    make_build(open_store(), "patched", "1.17.90", commit=lock.read_lock().release.commit, body=saying(report))
    made = Patient(home=isolated, work=work, source=upstream.source, report=report)
    made.says()
    assert made.run("install", "--quiet") == 0
    return made
