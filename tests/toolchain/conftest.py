"""Fixtures of the room: a user with nothing set, a registry, and a tree with a bun that is a shell script."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opencode_patcher.base import git
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.base.version import Release
from opencode_patcher.toolchain.bun import Bun
from opencode_patcher.upstream.worktree import Worktree
from tests.toolchain.fake_registry import Registry, serve


@pytest.fixture
def home(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user without settings: no npm settings, no proxy, and only ``bin`` on PATH."""
    for name in list(os.environ):
        if name.lower().startswith("npm_config_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    (isolated / "bin").mkdir()
    monkeypatch.setenv("PATH", str(isolated / "bin"))
    monkeypatch.chdir(isolated)
    return isolated


@pytest.fixture
def make_registry() -> Iterator[Callable[[], Registry]]:
    servers = []

    def make() -> Registry:
        registry = Registry()
        servers.append(serve(registry))
        return registry

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def registry(make_registry: Callable[[], Registry], home: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry that the user's environment names."""
    made = make_registry()
    monkeypatch.setenv("npm_config_registry", made.url)
    return made


@pytest.fixture
def tree(tmp_path: Path) -> Worktree:
    """A tree in the shape that ``upstream.worktree.checkout`` leaves, with upstream's lock file committed."""
    path = tmp_path / "tree"
    manifests = {
        "package.json": {"name": "opencode"},
        "packages/opencode/package.json": {"name": "opencode", "scripts": {"build": "true"}},
        "packages/core/package.json": {"name": "core", "scripts": {"fix-node-pty": "true", "postinstall": "true"}},
    }
    for name, manifest in manifests.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(json.dumps(manifest))
    (path / "bun.lock").write_text("pristine\n")
    (path / ".gitignore").write_text("node_modules\ndist\n")
    git.run("init", "--quiet", path)
    git.run("-C", path, "add", "--all")
    git.run("-C", path, "-c", "user.name=U", "-c", "user.email=u@example.invalid", "commit", "--quiet", "--message=one")
    return Worktree(
        path=path,
        git_dir=path / ".git",
        line=OPENCODE_1,
        release=Release(tag="v1.0.0", version=(1, 0, 0), commit="0" * 40),
        packages=("packages/core", "packages/opencode"),
    )


@pytest.fixture
def make_bun(tmp_path: Path) -> Callable[[str], Bun]:
    """Makes a bun from a shell script, whose commands run where bun would and get its arguments."""

    def make(script: str) -> Bun:
        path = tmp_path / "bun-bin" / "bun"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\nset -e\n{script}\n")
        path.chmod(0o755)
        return Bun(path=path, version="1.3.14", origin="store")

    return make
