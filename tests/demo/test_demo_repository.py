"""The small upstreams as they ship: they fit our patches, and their repositories are the same everywhere."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

import pytest

from opencode_patcher.base import git, resources
from opencode_patcher.base.errors import ProcessError
from opencode_patcher.base.line import LINES, OPENCODE_2, Line
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.demo import repository
from opencode_patcher.patchset import expectations, newfiles, series
from opencode_patcher.patchset.compose import compose
from opencode_patcher.patchset.values import values_for
from opencode_patcher.upstream import workspace


@pytest.fixture(params=LINES, ids=lambda line: str(line.major))
def line(request: pytest.FixtureRequest) -> Line:
    found: Line = request.param
    return found


@pytest.fixture
def small(line: Line) -> repository.Small:
    return repository.SMALL[line.major]


def show(path: Path, *arguments: str) -> str:
    return git.run(f"--git-dir={path}", *arguments).stdout


def test_every_patch_fits_the_small_upstream_unchanged(line: Line, small: repository.Small, store: Store) -> None:
    files = repository.read_files(small.files)
    release = repository.ensure(store, line=line).release
    patches = series.load(resources.patches(line))

    change = compose(
        patches,
        newfiles.load(resources.templates(), line),
        values_for(line, release),
        lambda path: files[path].encode() if path in files else None,
        version=release.version,
    )

    wanted = {patch.name for patch in patches.patches if patch.header.touches[0].releases.has(release.version)}
    assert len(wanted) >= 10
    assert {placement.patch for placement in change.placements} == wanted
    assert not any(placement.already for placement in change.placements)


def test_what_the_feature_relies_on_is_in_the_small_opencode_2() -> None:
    small = repository.SMALL[OPENCODE_2.major]
    files = repository.read_files(small.files)

    found = expectations.load(resources.patches(OPENCODE_2))

    assert expectations.differences(found, (2, 0, 0), lambda path: files[path].encode()) == ()


def test_none_of_the_feature_is_in_the_small_upstream(small: repository.Small) -> None:
    for path, text in repository.read_files(small.files).items():
        assert "provider_priority" not in text, path
        assert "combined" not in text.lower(), path


def test_the_commit_does_not_depend_on_the_users_settings(store: Store, isolated: Path, tmp_path: Path) -> None:
    first = repository.ensure(store)
    with (isolated / ".gitconfig").open("a") as file:
        file.write("[core]\n\tautocrlf = true\n[commit]\n\tgpgsign = true\n[init]\n\tdefaultObjectFormat = sha256\n")
        file.write("[user]\n\tname = Somebody Else\n")

    second = repository.ensure(open_store(tmp_path / "other"))

    assert second.release == first.release
    assert len(first.release.commit) == 40
    assert (
        show(second.path, "log", "--format=%an <%ae> %s", "v1.0.0").strip()
        == f"{repository.AUTHOR} A small OpenCode v1.0.0"
    )


def test_the_release_has_the_shipped_files_byte_for_byte(
    line: Line, small: repository.Small, store: Store, tmp_path: Path
) -> None:
    upstream = repository.ensure(store, line=line)

    packed = tmp_path / "release.tar"
    show(upstream.path, "archive", f"--output={packed}", small.tag)

    with tarfile.open(packed) as archive:
        held = {one.name: file.read() for one in archive if (file := archive.extractfile(one))}
    assert held.keys() == repository.read_files(small.files).keys()
    assert held == {path: (small.files / path).read_bytes() for path in held}


def test_a_second_call_creates_nothing(store: Store) -> None:
    first = repository.ensure(store)
    before = {path: path.stat().st_mtime_ns for path in first.path.rglob("*")}

    assert repository.ensure(store) == first
    assert {path: path.stat().st_mtime_ns for path in first.path.rglob("*")} == before


def test_other_files_are_another_repository_and_the_first_one_stays(store: Store) -> None:
    first = repository.ensure(store)

    second = repository.ensure(store, repository.read_files() | {"README.md": "Changed.\n"})

    assert second.path != first.path
    assert second.release.commit != first.release.commit
    assert repository.ensure(store) == first


def test_a_repository_that_cannot_be_finished_leaves_nothing(store: Store) -> None:
    with pytest.raises(ProcessError):
        repository.ensure(store, {"": "a file without a name"})

    assert not list((store.root / "upstream").iterdir())


def test_files_left_by_a_development_run_are_not_shipped(tmp_path: Path) -> None:
    for name in ("node_modules/effect/index.js", "packages/opencode/dist/opencode", "packages/a.ts"):
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content\n")

    assert repository.read_files(tmp_path / "files") == {"packages/a.ts": "content\n"}


def test_the_tool_recognises_it_as_opencode(line: Line, small: repository.Small) -> None:
    files = repository.read_files(small.files)
    texts = {path: text for path, text in files.items() if path.endswith("package.json")}

    found = workspace.closure(texts, line)

    assert found.bun == "1.3.14"
    assert found.version == small.tag.removeprefix("v")
    assert line.package in found.packages


def test_dependencies_are_pinned_without_a_registry(small: repository.Small) -> None:
    files = repository.read_files(small.files)
    catalog = json.loads(files["package.json"])["workspaces"]["catalog"]

    assert catalog
    assert all(re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", version) for version in catalog.values())
    for name, version in catalog.items():
        assert f'"{name}@{version}", ""' in files["bun.lock"]
    assert "://" not in files["bun.lock"]
