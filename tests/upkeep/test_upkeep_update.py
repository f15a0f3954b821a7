"""``update``: the lock moves after a verified build, and never otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from opencode_patcher import pipeline
from opencode_patcher.base.errors import BuildError, DrillError, InstallError, PatchError, SourceError
from opencode_patcher.base.progress import Reporter, SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.install.builds import Build, Ingredients
from opencode_patcher.pipeline import Built
from opencode_patcher.upkeep import update
from opencode_patcher.upkeep.update import Prospect
from opencode_patcher.upstream import lock, releases
from opencode_patcher.upstream.lock import Lock
from opencode_patcher.upstream.support import Support
from tests.upkeep.mend_samples import KITCHEN, KITCHEN_TEXT, Upstream, lock_of

BUN = next(iter(lock.read_lock().bun))
"""A version that the lock pins."""

WINDOW = Support(oldest=(2, 0, 0), oldest_built=(2, 0, 0), oldest_tested=(2, 0, 0))


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
    return Request(source=upstream.source, patches=project.patches, templates=project.templates)


def look(request: Request, store: Store, lock_file: Path) -> Prospect:
    return update.look(request, store, SilentReporter(), lock=lock.read_lock(lock_file), window=WINDOW)


def builds_as(monkeypatch: pytest.MonkeyPatch, outcome: Exception | None) -> None:
    """Stands for minutes of building: ends at once, with ``outcome`` or a build of the asked release."""

    def build(request: Request, store: Store, reporter: Reporter, *, lock: Lock, **rest: Any) -> Built:
        if outcome:
            raise outcome
        release = releases.find(releases.list_releases(request.source), request.ref or "")
        made = Ingredients(
            release=release, source="", patchset="", bun=BUN, catalogue="", web_ui=False, target="linux-x64"
        )
        build = Build(
            directory=store.builds, name="opencode", sha256="", size=1, ingredients=made, tool_version="", built_at=0.0
        )
        return Built(build=build, reused=False)

    monkeypatch.setattr(pipeline, "build", build)


def move(
    prospect: Prospect,
    request: Request,
    store: Store,
    lock_file: Path,
    **more: Any,
) -> Built:
    return pipeline.update(
        prospect,
        request,
        store,
        SilentReporter(),
        lock=lock.read_lock(lock_file),
        lock_file=lock_file,
        **more,
    )


def test_nothing_newer(request_for: Request, store: Store, lock_file: Path) -> None:
    prospect = look(request_for, store, lock_file)
    assert not prospect.newer
    assert not prospect.fails


def test_the_lock_moves_after_the_build(
    upstream: Upstream, request_for: Request, store: Store, lock_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = upstream.release("v2.1.0", {})
    prospect = look(request_for, store, lock_file)
    assert prospect.newer
    before = lock.read_lock(lock_file)
    builds_as(monkeypatch, None)
    move(prospect, request_for, store, lock_file)
    assert lock.read_lock(lock_file).release == newest
    assert lock.read_lock(lock_file).catalogue == before.catalogue


@pytest.mark.parametrize("error", [BuildError("bun failed."), DrillError("It hangs."), PatchError("No place.")])
def test_a_failed_step_leaves_the_lock(
    upstream: Upstream,
    request_for: Request,
    store: Store,
    lock_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    upstream.release("v2.1.0", {})
    before = lock_file.read_bytes()
    builds_as(monkeypatch, error)
    with pytest.raises(type(error)) as caught:
        move(look(request_for, store, lock_file), request_for, store, lock_file)
    assert "stay at v2.0.0" in "".join(caught.value.__notes__)
    assert lock_file.read_bytes() == before


def test_a_release_that_differs_has_to_pass_the_whole_drill(
    upstream: Upstream,
    request_for: Request,
    project: Project,
    store: Store,
    lock_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project.expect("heat", KITCHEN, "prepare", r"heat\(180\)")
    newest = upstream.release("v2.1.0", {KITCHEN: KITCHEN_TEXT.replace("180", "200")})
    prospect = look(request_for, store, lock_file)
    assert (prospect.fails, prospect.differs) == (False, True)
    builds_as(monkeypatch, None)

    def fails(build: Build, reporter: Reporter) -> None:
        raise DrillError("A scenario fails.")

    with pytest.raises(DrillError):
        move(prospect, request_for, store, lock_file, whole=fails)
    assert lock.read_lock(lock_file).release.tag == "v2.0.0"
    drilled: list[str] = []
    move(prospect, request_for, store, lock_file, whole=lambda build, _: drilled.append(build.name))
    assert drilled == ["opencode"]
    assert lock.read_lock(lock_file).release == newest


def test_a_release_that_fits_does_not_need_the_whole_drill(
    upstream: Upstream, request_for: Request, store: Store, lock_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.release("v2.1.0", {})
    builds_as(monkeypatch, None)
    drilled: list[str] = []
    prospect = look(request_for, store, lock_file)
    move(prospect, request_for, store, lock_file, whole=lambda build, _: drilled.append(build.name))
    assert drilled == []


@pytest.mark.parametrize("error", [InstallError("Disk full."), KeyboardInterrupt()])
def test_a_failed_installation_restores_the_lock(
    upstream: Upstream,
    request_for: Request,
    store: Store,
    lock_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    upstream.release("v2.1.0", {})
    before = lock_file.read_bytes()
    builds_as(monkeypatch, None)
    seen: list[str] = []

    def activate(build: Build) -> None:
        seen.append(lock.read_lock(lock_file).release.tag)
        raise error

    with pytest.raises(type(error)):
        move(look(request_for, store, lock_file), request_for, store, lock_file, activate=activate)
    assert seen == ["v2.1.0"]
    assert lock_file.read_bytes() == before


def test_patches_that_do_not_fit_stop_it_with_what_to_do(
    upstream: Upstream, request_for: Request, store: Store, lock_file: Path
) -> None:
    upstream.release("v2.1.0", {KITCHEN: KITCHEN_TEXT.replace("plate, guest", "guest, plate")})
    prospect = look(request_for, store, lock_file)
    assert prospect.fails
    with pytest.raises(PatchError, match=r"do not fit v2\.1\.0") as caught:
        update.require_fit(prospect, "reasons")
    assert "patches rebase v2.1.0" in caught.value.next_step


def test_a_rewritten_tag_is_refused(upstream: Upstream, request_for: Request, store: Store, lock_file: Path) -> None:
    upstream.release("v2.1.0", {})
    upstream.git("tag", "--force", "v2.0.0", "dev")
    with pytest.raises(SourceError, match=r"v2\.0\.0 has moved"):
        look(request_for, store, lock_file)


def test_a_tag_that_is_no_release_is_not_the_newest(
    upstream: Upstream, request_for: Request, store: Store, lock_file: Path
) -> None:
    upstream.commit("work", {})
    for tag in ("v3.0.0-beta.1", "nightly", "v9"):
        upstream.git("tag", tag)
    assert look(request_for, store, lock_file).newest.tag == "v2.0.0"


CommandLine = Callable[..., int]


def test_the_command_moves_the_lock_and_writes_the_report(
    upstream: Upstream,
    command_line: CommandLine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command_line("update", "--dry-run") == 0
    assert "nothing newer" in capsys.readouterr().out
    upstream.release("v2.1.0", {})
    assert command_line("update", "--dry-run", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["locked"], found["newest"], found["newer"], found["moved"]) == ("v2.0.0", "v2.1.0", True, False)
    builds_as(monkeypatch, None)
    report = tmp_path / "report.md"
    assert command_line("update", "--report", str(report)) == 0
    assert "v2.1.0" in capsys.readouterr().out
    assert "| v2.1.0 |" in report.read_text()
    assert lock.read_lock(tmp_path / "upstream.lock.json").release.tag == "v2.1.0"


def test_the_command_names_what_does_not_fit(
    upstream: Upstream, command_line: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.release("v2.1.0", {KITCHEN: KITCHEN_TEXT.replace("plate, guest", "guest, plate")})
    assert command_line("update", "--dry-run") == PatchError.exit_code
    assert "return carry(guest, plate)" in capsys.readouterr().out
    assert command_line("update") == PatchError.exit_code
    said = capsys.readouterr().err
    assert "The patches do not fit v2.1.0" in said
    assert "opencode-patcher patches rebase v2.1.0" in said
    assert lock.read_lock(tmp_path / "upstream.lock.json").release.tag == "v2.0.0"


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
