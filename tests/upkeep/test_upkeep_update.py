"""``update``: the lock moves after a verified build, and never otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from opencode_patcher import pipeline
from opencode_patcher.base.errors import BuildError, DrillError, InstallError, PatchError, SourceError
from opencode_patcher.base.progress import Reporter, SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.install import builds
from opencode_patcher.install.builds import Build, DrillResult, Ingredients
from opencode_patcher.pipeline import Built
from opencode_patcher.upkeep import update
from opencode_patcher.upkeep.update import Prospect
from opencode_patcher.upstream import lock, releases
from opencode_patcher.upstream.lock import Lock
from opencode_patcher.upstream.support import Support
from tests.upkeep.mend_samples import KITCHEN, KITCHEN_TEXT, Upstream, lock_of

BUN = next(iter(lock.read_lock().bun))
"""A version that the lock pins."""

WINDOW = Support(oldest="v1.20.0", oldest_built="v1.20.0", oldest_tested="v1.20.0")


class Project(Protocol):
    patches: Path
    templates: Path

    def expect(self, name: str, path: str, within: str, pattern: str) -> None: ...


@pytest.fixture
def lock_file(upstream: Upstream, tmp_path: Path) -> Path:
    file = tmp_path / "lock" / "upstream.lock.json"
    lock.write_lock(lock_of(releases.list_releases(upstream.source)[0]), file)
    return file


@pytest.fixture
def request_for(upstream: Upstream, project: Project) -> Request:
    return Request(source=upstream.source, patches=project.patches, templates=project.templates, locked=True)


def look(request: Request, store: Store, lock_file: Path) -> Prospect:
    return update.look(request, store, SilentReporter(), lock=lock.read_lock(lock_file), window=WINDOW)


@dataclass
class Builder:
    """Stands for the minutes of building and of the drill: ends at once, with a build of the asked release.

    ``error`` is raised instead of a build, and the scenarios in ``failing`` fail. ``drilled`` tells of each drill
    whether it was the whole one.
    """

    error: Exception | None = None
    failing: tuple[str, ...] = ()
    drilled: list[bool] = field(default_factory=list)

    def prepare(self, request: Request, release: Release, *_: object, **__: object) -> Release:
        if self.error:
            raise self.error
        return release

    def compile(self, request: Request, release: Release, lock: Lock, store: Store, reporter: Reporter) -> Built:
        made = Ingredients(
            release=release, source="", patchset="", bun=BUN, catalogue="", web_ui=False, target="linux-x64"
        )
        if found := builds.find(store, made):
            return Built(build=found, reused=True)
        program = store.root / "opencode"
        program.write_text("#!/bin/sh\n")
        return Built(build=builds.keep(store, made, program, "test"), reused=False)

    def drill(self, whole: bool) -> DrillResult:
        self.drilled.append(whole)
        return DrillResult(passed=("healthy",), failed=self.failing, failover_ms=None, whole=whole)


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Builder:
    made = Builder()
    monkeypatch.setattr(pipeline, "prepare", made.prepare)
    monkeypatch.setattr(pipeline, "compile_binary", made.compile)
    monkeypatch.setattr(pipeline, "drill", lambda *_: made.drill(whole=False))
    monkeypatch.setattr(pipeline, "whole_drill", lambda *_: made.drill(whole=True))
    return made


class Told(SilentReporter):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.text = ""

    def note(self, text: str) -> None:
        self.text += text + "\n"

    warn = note


def move(
    prospect: Prospect,
    request: Request,
    store: Store,
    lock_file: Path,
    *,
    reporter: Reporter | None = None,
    **more: Any,
) -> Built:
    return pipeline.update(
        prospect,
        request,
        store,
        reporter or SilentReporter(),
        lock=lock.read_lock(lock_file),
        lock_file=lock_file,
        **more,
    )


def test_nothing_newer(request_for: Request, store: Store, lock_file: Path) -> None:
    prospect = look(request_for, store, lock_file)
    assert not prospect.newer
    assert not prospect.fails


def test_the_lock_moves_after_the_whole_drill(
    upstream: Upstream, request_for: Request, store: Store, lock_file: Path, builder: Builder
) -> None:
    newest = upstream.release("v1.21.0", {})
    prospect = look(request_for, store, lock_file)
    assert prospect.newer
    before = lock.read_lock(lock_file)
    told = Told()
    built = move(prospect, request_for, store, lock_file, reporter=told)
    assert builder.drilled == [True]
    assert built.build.proven
    assert "v1.21.0 is unproven: it is newer than v1.20.0" in told.text
    assert lock.read_lock(lock_file).release == newest
    assert lock.read_lock(lock_file).catalogue == before.catalogue


@pytest.mark.parametrize("error", [BuildError("bun failed."), PatchError("No place.")])
def test_a_failed_step_leaves_the_lock(
    upstream: Upstream, request_for: Request, store: Store, lock_file: Path, builder: Builder, error: Exception
) -> None:
    upstream.release("v1.21.0", {})
    before = lock_file.read_bytes()
    builder.error = error
    with pytest.raises(type(error)) as caught:
        move(look(request_for, store, lock_file), request_for, store, lock_file)
    assert "stay at v1.20.0" in "".join(caught.value.__notes__)
    assert lock_file.read_bytes() == before


def test_a_release_that_differs_is_named_and_has_to_pass_too(
    upstream: Upstream, request_for: Request, project: Project, store: Store, lock_file: Path, builder: Builder
) -> None:
    project.expect("heat", KITCHEN, "prepare", r"heat\(180\)")
    newest = upstream.release("v1.21.0", {KITCHEN: KITCHEN_TEXT.replace("180", "200")})
    prospect = look(request_for, store, lock_file)
    assert (prospect.fails, prospect.differs) == (False, True)
    builder.failing = ("cut",)
    told = Told()
    with pytest.raises(DrillError):
        move(prospect, request_for, store, lock_file, reporter=told)
    assert "heat" in told.text
    assert lock.read_lock(lock_file).release.tag == "v1.20.0"
    builder.failing = ()
    move(prospect, request_for, store, lock_file)
    assert builder.drilled == [True, True]
    assert lock.read_lock(lock_file).release == newest


def test_build_proves_a_newer_release_in_the_same_way(
    upstream: Upstream, request_for: Request, store: Store, lock_file: Path, builder: Builder
) -> None:
    """A newer release is checked and gets the whole drill, once; the release in the lock gets the quick drill."""
    upstream.release("v1.21.0", {})

    def build(ref: str, *, lock_: Lock | None = None) -> Told:
        told = Told()
        asked = replace(request_for, ref=ref)
        pipeline.build(asked, store, told, lock=lock_ or lock.read_lock(lock_file))
        return told

    assert build("v1.20.0").text == ""
    assert builder.drilled == [False]
    newer = lock_of(releases.find(releases.list_releases(upstream.source), "v1.21.0"))
    build("v1.21.0", lock_=newer)
    assert "unproven" in build("v1.21.0").text
    assert builder.drilled == [False, False, True], "the quick drill is not enough"
    build("v1.21.0")
    assert len(builder.drilled) == 3, "it has passed already"
    upstream.release("v1.22.0", {KITCHEN: KITCHEN_TEXT.replace("plate, guest", "guest, plate")})
    with pytest.raises(PatchError, match=r"do not fit v1\.22\.0"):
        build("v1.22.0")
    assert len(builder.drilled) == 3


@pytest.mark.parametrize("error", [InstallError("Disk full."), KeyboardInterrupt()])
def test_a_failed_installation_restores_the_lock(
    upstream: Upstream,
    request_for: Request,
    store: Store,
    lock_file: Path,
    builder: Builder,
    error: BaseException,
) -> None:
    upstream.release("v1.21.0", {})
    before = lock_file.read_bytes()
    seen: list[str] = []

    def activate(build: Build) -> None:
        seen.append(lock.read_lock(lock_file).release.tag)
        raise error

    with pytest.raises(type(error)):
        move(look(request_for, store, lock_file), request_for, store, lock_file, activate=activate)
    assert seen == ["v1.21.0"]
    assert lock_file.read_bytes() == before


def test_patches_that_do_not_fit_stop_it_with_what_to_do(
    upstream: Upstream, request_for: Request, store: Store, lock_file: Path
) -> None:
    upstream.release("v1.21.0", {KITCHEN: KITCHEN_TEXT.replace("plate, guest", "guest, plate")})
    prospect = look(request_for, store, lock_file)
    assert prospect.fails
    with pytest.raises(PatchError, match=r"do not fit v1\.21\.0") as caught:
        update.require_fit(prospect)
    assert "patches rebase v1.21.0" in caught.value.next_step


def test_a_rewritten_tag_is_refused(upstream: Upstream, request_for: Request, store: Store, lock_file: Path) -> None:
    upstream.release("v1.21.0", {})
    upstream.git("tag", "--force", "v1.20.0", "dev")
    with pytest.raises(SourceError, match=r"v1\.20\.0 has moved"):
        look(request_for, store, lock_file)


def test_a_tag_that_is_no_release_is_not_the_newest(
    upstream: Upstream, request_for: Request, store: Store, lock_file: Path
) -> None:
    upstream.commit("work", {})
    for tag in ("v3.0.0-beta.1", "nightly", "v9"):
        upstream.git("tag", tag)
    assert look(request_for, store, lock_file).newest.tag == "v1.20.0"


CommandLine = Callable[..., int]


def test_the_command_moves_the_lock_and_writes_the_report(
    upstream: Upstream,
    command_line: CommandLine,
    tmp_path: Path,
    builder: Builder,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command_line("update", "--dry-run") == 0
    assert "nothing newer" in capsys.readouterr().out
    upstream.release("v1.21.0", {})
    assert command_line("update", "--dry-run", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["locked"], found["newest"], found["newer"], found["moved"]) == ("v1.20.0", "v1.21.0", True, False)
    report = tmp_path / "report.md"
    assert command_line("update", "--report", str(report)) == 0
    assert "v1.21.0" in capsys.readouterr().out
    assert "| v1.21.0 |" in report.read_text()
    assert lock.read_lock(tmp_path / "upstream.lock.json").release.tag == "v1.21.0"


def test_the_command_names_what_does_not_fit(
    upstream: Upstream, command_line: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.release("v1.21.0", {KITCHEN: KITCHEN_TEXT.replace("plate, guest", "guest, plate")})
    assert command_line("update", "--dry-run") == PatchError.exit_code
    assert "return carry(guest, plate)" in capsys.readouterr().out
    assert command_line("update") == PatchError.exit_code
    said = capsys.readouterr().err
    assert "The patches do not fit v1.21.0" in said
    assert "opencode-patcher patches rebase v1.21.0" in said
    assert lock.read_lock(tmp_path / "upstream.lock.json").release.tag == "v1.20.0"


def test_an_installed_package_keeps_its_lock_in_the_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from opencode_patcher.base import resources

    packed = lock.read_lock()
    assert lock.place(store) == lock.LOCK_FILE
    monkeypatch.setattr(resources, "is_checkout", lambda: False)
    assert lock.place(store).parent == store.root
    assert lock.current(store) == packed
    newer = lock_of(Release(tag="v99.0.0", version=(99, 0, 0), commit="b" * 40))
    lock.write_lock(newer, lock.place(store))
    assert lock.current(store) == newer
    older = lock_of(Release(tag="v0.1.0", version=(0, 1, 0), commit="b" * 40))
    lock.write_lock(older, lock.place(store))
    assert lock.current(store) == packed
