"""From the release to the binary, with a real git and a real bun."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher import pipeline
from opencode_patcher.base import process, resources
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.errors import BuildError, PatchError, SourceError, ToolchainError
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.demo import repository
from opencode_patcher.demo.run import request
from opencode_patcher.install import builds
from opencode_patcher.pipeline import Built
from tests.pipeline.small_upstream import build, prepare, unproven

TAG = repository.SMALL[OPENCODE_1.major].tag
CONFIG = "packages/core/src/v1/config/config.ts"


def contents(tree: Path) -> dict[str, str]:
    """A hash of every file of a tree by its path, without what is installed and built there."""
    found = {}
    for directory, names, files in os.walk(tree):
        names[:] = [name for name in names if name not in {"node_modules", "dist"}]
        for name in files:
            path = Path(directory, name)
            found[path.relative_to(tree).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_the_binary_answers(built_demo: Built, tmp_path: Path) -> None:
    done = process.run([built_demo.binary, "--version"], cwd=tmp_path)

    assert done.stdout.strip() == "1.0.0"


def test_the_manifest_says_what_is_in_the_build(built_demo: Built) -> None:
    made = built_demo.build.ingredients

    assert made.release.tag == TAG
    assert built_demo.build.sha256 == file_sha256(built_demo.binary)
    assert not built_demo.reused


def test_a_second_run_builds_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(store)

    again = build(store)

    assert again.reused
    assert again.build == first.build


def test_the_same_ingredients_give_the_same_tree_and_the_same_bytes(store: Store) -> None:
    first = build(store)
    tree = prepare(store).tree.path
    before = contents(tree)
    shutil.rmtree(store.builds)

    second = build(store)

    assert not second.reused
    assert second.build.sha256 == first.build.sha256
    assert contents(tree) == before


def test_a_changed_patch_gives_the_new_tree_and_the_old_patch_the_old_one(
    store: Store, patches_with: Callable[[str, str, str], Path]
) -> None:
    first = prepare(store)
    before = contents(first.tree.path)
    changed = patches_with("config-schema.patch", "Order in which", "The order in which")

    second = prepare(store, patches=changed)
    text = (second.tree.path / CONFIG).read_text()
    third = prepare(store)

    assert second.change.digest != first.change.digest
    assert "The order in which" in text
    assert third.change.digest == first.change.digest
    assert contents(third.tree.path) == before


def test_without_patches_the_tree_is_the_release_again(store: Store, unpatched: dict[str, Path]) -> None:
    patched = contents(prepare(store).tree.path)

    tree = prepare(store, **unpatched).tree.path

    pristine = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in repository.read_files().items()}
    found = contents(tree)
    found.pop(".git")
    assert found == pristine
    added = {f"packages/opencode/src/combined/{name}" for name in ("member.ts", "driver/turn.ts")}
    assert patched.keys() - found.keys() >= added


def test_a_file_changed_by_hand_is_named_and_kept(store: Store) -> None:
    tree = prepare(store).tree.path
    edited = tree / "packages/opencode/src/tool/bash.ts"
    edited.write_text(edited.read_text() + "// mine\n")

    with pytest.raises(PatchError) as refused:
        build(store)

    assert "packages/opencode/src/tool/bash.ts" in str(refused.value)
    assert f"opencode-patcher build {tree.name} --discard-edits" in str(refused.value)
    assert edited.read_text().endswith("// mine\n")


def test_edits_are_discarded_on_request(store: Store) -> None:
    tree = prepare(store).tree.path
    before = contents(tree)
    (tree / CONFIG).write_text("// mine\n")

    prepare(store, discard_edits=True)

    assert contents(tree) == before


def test_a_hunk_that_does_not_fit_stops_before_anything_is_written(store: Store) -> None:
    files = repository.read_files()
    path = "packages/opencode/src/session/processor.ts"
    assert "llm.stream(streamInput)" in files[path]
    moved = repository.ensure(
        store, files | {path: files[path].replace("llm.stream(streamInput)", "llm.ask(streamInput)")}
    )
    wanted, lock = request(store)
    wanted, lock = replace(wanted, source=str(moved.path)), replace(lock, release=moved.release)

    with pytest.raises(PatchError) as refused:
        pipeline.build(wanted, store, SilentReporter(), lock=lock, proof=unproven)

    message = str(refused.value)
    assert path in message
    assert "in process" in message
    assert "llm.ask(streamInput)" in message
    assert "patches show session-processor" in message
    tree = next(store.trees.glob(f"*/{TAG}"))
    assert not (tree / "packages/opencode/src/combined").exists()


def test_a_moved_release_tag_is_refused(store: Store) -> None:
    wanted, lock = request(store)
    lock = replace(lock, release=replace(lock.release, commit="0" * 40))

    with pytest.raises(SourceError) as refused:
        pipeline.build(wanted, store, SilentReporter(), lock=lock, proof=unproven)

    assert TAG in str(refused.value)
    assert not store.trees.exists()


def test_a_failing_build_shows_its_end_and_leaves_no_binary(
    store: Store, patches_with: Callable[[str, str, str], Path]
) -> None:
    broken = patches_with("config-schema.patch", "provider_priority: Schema", "provider_priority: = Schema")

    with pytest.raises(BuildError) as failed:
        build(store, patches=broken)

    assert "config.ts" in str(failed.value)
    assert str(store.logs) in str(failed.value)
    assert builds.latest(store) is None
    assert build(store).build.verified


def test_no_registry_is_an_error_with_advice_and_the_next_run_goes_on(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("npm_config_registry", "http://127.0.0.1:9/")
        patch.setenv("BUN_CONFIG_REGISTRY", "http://127.0.0.1:9/")
        patch.setenv("BUN_INSTALL_CACHE_DIR", str(tmp_path / "empty"))
        with pytest.raises(ToolchainError) as failed:
            build(store)

    assert "npm_config_registry" in str(failed.value)
    assert build(store).binary.is_file()


def test_removing_a_template_removes_its_file(store: Store, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(resources.templates(), templates)
    extra = templates / "combined/extra.ts"
    extra.write_text("export const extra = 1\n")
    tree = prepare(store, templates=templates).tree.path
    assert (tree / "packages/opencode/src/combined/extra.ts").is_file()

    prepare(store)

    assert not (tree / "packages/opencode/src/combined/extra.ts").exists()
