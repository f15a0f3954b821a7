"""Fixtures of the room: the small upstream, and a project whose patches fit its first release."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_patcher import __main__
from opencode_patcher.base import resources
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import open_store
from opencode_patcher.base.version import Release
from opencode_patcher.patchset import series
from opencode_patcher.patchset.series import Series
from opencode_patcher.upkeep import release_check
from opencode_patcher.upstream import lock
from tests.upkeep.mend_samples import Upstream, lock_of, write_ours


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """With one release, v1.20.0."""
    made = Upstream(tmp_path / "upstream")
    made.release("v1.20.0")
    return made


@dataclass(frozen=True, kw_only=True)
class Project:
    """Our patches and new files in a directory of their own."""

    patches: Path
    templates: Path

    @property
    def series(self) -> Series:
        return series.load(self.patches)

    def text(self, name: str) -> str:
        return (self.patches / f"{name}.patch").read_text()

    def rewrite(self, name: str, old: str, new: str) -> None:
        assert old in self.text(name)
        (self.patches / f"{name}.patch").write_text(self.text(name).replace(old, new))

    def expect(self, name: str, path: str, within: str, pattern: str) -> None:
        """Rely on a function of upstream's (or a whole file) having a pattern."""
        with (self.patches / "expectations.toml").open("a") as file:
            file.write(EXPECTATION.format(name=name, path=path, within=within, pattern=pattern))


EXPECTATION = """\
[[expectation]]
name = "{name}"
why = "Guests count on it."
look = "taste.ts"
files = ["{path}"]
within = "{within}"

[[expectation.form]]
since = "v1.20.0"
has = ['{pattern}']

"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    patches, templates = write_ours(tmp_path / "project")
    for name in ("reports", "ci"):
        shutil.copytree(resources.templates() / name, templates / name)
    return Project(patches=patches, templates=templates)


Check = Callable[..., release_check.Checked]


@pytest.fixture
def check(upstream: Upstream, project: Project, tmp_path: Path) -> Check:
    """Checks releases of the small upstream; the lock is its first one."""

    def run(*wanted: Release) -> release_check.Checked:
        from opencode_patcher.upstream import releases

        known = releases.find(releases.list_releases(upstream.source), "v1.20.0")
        ours = release_check.Ours(patches=project.patches, templates=project.templates)
        store = open_store(tmp_path / "store")
        return release_check.check_releases(upstream.source, wanted, known, store, SilentReporter(), ours)

    return run


CommandLine = Callable[..., int]


@pytest.fixture
def command_line(project: Project, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    """Runs one command line on a checkout of the project whose lock is v1.20.0; returns the exit code."""
    from opencode_patcher.upstream import releases

    package = project.templates.parent / "opencode_patcher"
    package.mkdir()
    locked = lock_of(releases.find(releases.list_releases(upstream.source), "v1.20.0"))
    file = tmp_path / "upstream.lock.json"
    lock.write_lock(locked, file)
    monkeypatch.setattr(resources, "_PACKAGE", package)
    monkeypatch.setattr(lock, "current", lambda *_: lock.read_lock(file))
    monkeypatch.setattr(lock, "place", lambda *_: file)

    def run(*words: str) -> int:
        return __main__.run([*words, "--source", upstream.source] if words[0] != "ci" else words)

    return run
