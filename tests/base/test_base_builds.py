"""Finished binaries in the store: found again only while they are exactly what was asked for."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import pytest

from opencode_patcher.base.errors import StoreError
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.install import builds
from opencode_patcher.install.builds import Build, DrillResult, Ingredients

RELEASE = Release(tag="v1.2.3", version=(1, 2, 3), commit="a" * 40)
INGREDIENTS = Ingredients(
    release=RELEASE,
    source="https://example.invalid/opencode",
    patchset="1" * 64,
    bun="1.3.14",
    catalogue="2" * 64,
    web_ui=False,
    target="linux-x64",
)


def keep(store: Store, tmp_path: Path, ingredients: Ingredients = INGREDIENTS, content: bytes = b"program") -> Build:
    binary = tmp_path / "dist" / "opencode"
    binary.parent.mkdir(exist_ok=True)
    binary.write_bytes(content)
    binary.chmod(0o755)
    return builds.keep(store, ingredients, binary, "0.1.0")


def test_a_stored_build_is_found_again(store: Store, tmp_path: Path) -> None:
    kept = keep(store, tmp_path)

    assert builds.find(store, INGREDIENTS) == kept
    assert builds.list_builds(store) == (kept,)
    assert builds.latest(store) == kept
    assert kept.binary.read_bytes() == b"program"
    assert kept.binary.stat().st_mode & 0o111
    assert kept.size == 7
    assert not (tmp_path / "dist" / "opencode").exists()
    assert not kept.verified


def test_there_is_none_in_an_empty_store(store: Store) -> None:
    assert builds.find(store, INGREDIENTS) is None
    assert builds.list_builds(store) == ()
    assert builds.latest(store) is None


@pytest.mark.parametrize(
    ("verdict", "verified"),
    [
        (DrillResult(passed=("503", "429"), failed=(), failover_ms=12.5), True),
        (DrillResult(passed=("503",), failed=("429",), failover_ms=None), False),
    ],
)
def test_the_result_of_the_drill_is_stored(store: Store, tmp_path: Path, verdict: DrillResult, verified: bool) -> None:
    judged = builds.record_drill(keep(store, tmp_path), verdict)

    assert builds.find(store, INGREDIENTS) == judged
    assert judged.drill == verdict
    assert judged.verified is verified


def test_a_build_from_a_release_is_trusted_unless_it_fails_a_drill(store: Store, tmp_path: Path) -> None:
    kept = keep(store, tmp_path)
    assert not kept.trusted
    manifest = kept.directory / builds.MANIFEST
    manifest.write_text(json.dumps(builds.as_data(kept) | {"released": True}))
    [released] = builds.list_builds(store)

    assert released.trusted
    assert not released.verified
    assert not builds.record_drill(released, DrillResult(passed=(), failed=("cut",), failover_ms=None)).trusted
    assert builds.record_drill(released, DrillResult(passed=("cut",), failed=(), failover_ms=1.0)).trusted
    [again] = builds.list_builds(store)
    assert (again.released, again.verified) == (True, True)


def test_a_manifest_of_an_older_version_is_not_from_a_release(store: Store, tmp_path: Path) -> None:
    kept = keep(store, tmp_path)
    data = builds.as_data(kept)
    del data["released"]
    (kept.directory / builds.MANIFEST).write_text(json.dumps(data))
    assert builds.list_builds(store) == (kept,)


@pytest.mark.parametrize(
    "change",
    [
        {"release": dataclasses.replace(RELEASE, commit="b" * 40)},
        {"release": Release(tag="v1.2.4", version=(1, 2, 4), commit=RELEASE.commit)},
        {"patchset": "3" * 64},
        {"bun": "1.3.15"},
        {"catalogue": "4" * 64},
        {"web_ui": True},
        {"target": "darwin-arm64"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_ingredients_are_another_build(store: Store, tmp_path: Path, change: dict[str, Any]) -> None:
    other = dataclasses.replace(INGREDIENTS, **change)
    first = keep(store, tmp_path)

    assert builds.find(store, other) is None
    second = keep(store, tmp_path, other, b"other")

    assert second.directory != first.directory
    assert builds.find(store, INGREDIENTS) == first
    assert set(builds.list_builds(store)) == {first, second}


def test_every_ingredient_is_in_the_key_except_where_it_came_from() -> None:
    assert {field.name for field in dataclasses.fields(Ingredients)} == {
        "release", "source", "patchset", "bun", "catalogue", "catalogue_origin", "web_ui", "target", "lacks",
        "packages",
    }  # fmt: skip
    assert dataclasses.replace(INGREDIENTS, packages=("effect=4.0.2",)).key != INGREDIENTS.key
    assert (
        dataclasses.replace(INGREDIENTS, source="/elsewhere", catalogue_origin="x", lacks=("y",)).key == INGREDIENTS.key
    )


def test_a_new_recipe_rebuilds_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    before = INGREDIENTS.key

    monkeypatch.setattr(builds, "RECIPE", builds.RECIPE + 1)

    assert INGREDIENTS.key != before


def test_a_changed_or_missing_binary_is_not_found_again(store: Store, tmp_path: Path) -> None:
    kept = keep(store, tmp_path)
    kept.binary.write_bytes(b"Program")
    assert builds.find(store, INGREDIENTS) is None

    kept.binary.unlink()
    assert builds.find(store, INGREDIENTS) is None

    assert builds.find(store, INGREDIENTS) is None
    assert builds.find(store, keep(store, tmp_path).ingredients) is not None


def test_the_newest_build_comes_first(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for when, bun in ((300.0, "1.3.14"), (100.0, "1.3.15"), (200.0, "1.3.16")):
        monkeypatch.setattr(time, "time", lambda when=when: when)
        made.append(keep(store, tmp_path, dataclasses.replace(INGREDIENTS, bun=bun)))

    assert [build.built_at for build in builds.list_builds(store)] == [300.0, 200.0, 100.0]
    assert builds.latest(store) == made[0]


def test_an_unfinished_directory_is_not_a_build(store: Store, tmp_path: Path) -> None:
    kept = keep(store, tmp_path)
    (kept.directory / builds.MANIFEST).unlink()
    (store.builds / ".1.2.3-half.abcdefgh").mkdir()
    (store.builds / "stray").write_text("x")

    assert builds.find(store, INGREDIENTS) is None
    assert builds.list_builds(store) == ()


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda _: "{",
        lambda _: "[]",
        lambda _: "null",
        lambda text: text.replace('"format": 1', '"format": "x"'),
        lambda text: text.replace('"version": "1.2.3"', '"version": 5'),
        lambda text: text.replace('"version": "1.2.3"', '"version": "1.2"'),
        lambda text: json.dumps({**json.loads(text), "built_at": "yesterday"}),
        lambda text: json.dumps({**json.loads(text), "drill": {"passed": []}}),
        lambda text: json.dumps({**json.loads(text), "binary": None}),
        lambda text: text.replace("linux-x64", "\udcff"),
    ],
)
def test_a_damaged_manifest_says_what_to_delete(store: Store, tmp_path: Path, damage: Any) -> None:
    kept = keep(store, tmp_path)
    manifest = kept.directory / builds.MANIFEST
    manifest.write_bytes(damage(manifest.read_text()).encode("utf-8", "surrogateescape"))

    with pytest.raises(StoreError, match="damaged") as caught:
        builds.find(store, INGREDIENTS)
    (listed,) = builds.unreadable(store)
    for error in (caught.value, listed):
        assert "damaged" in error.what
        assert str(kept.directory) in error.next_step
        assert "opencode-patcher build" in error.next_step


def test_a_damaged_build_does_not_hide_others(store: Store, tmp_path: Path) -> None:
    damaged = keep(store, tmp_path, dataclasses.replace(INGREDIENTS, bun="1.3.15"))
    (damaged.directory / builds.MANIFEST).write_text("{")
    kept = keep(store, tmp_path)

    assert builds.list_builds(store) == (kept,)
    assert builds.latest(store) == kept


def test_there_is_no_advice_to_delete_a_build_of_a_newer_version(store: Store, tmp_path: Path) -> None:
    manifest = keep(store, tmp_path).directory / builds.MANIFEST
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))

    (error,) = builds.unreadable(store)
    assert "cannot be read by this version" in error.what
    assert "elete" not in error.next_step
    assert "Update opencode-patcher" in error.next_step


def test_a_binary_that_cannot_be_stored_is_a_clear_error_and_is_not_lost(store: Store, tmp_path: Path) -> None:
    store.builds.write_text("in the way")

    with pytest.raises(StoreError):
        keep(store, tmp_path)

    assert (tmp_path / "dist" / "opencode").read_bytes() == b"program"
