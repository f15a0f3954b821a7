"""A release only replaces an older release, and needs enough disk space."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from opencode_patcher.base.errors import ReleaseError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.release import directory, manifest, sums
from opencode_patcher.release.directory import Room
from tests.release.release_samples import manifest as sample

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """A former release, of a newer schema even."""
    place = tmp_path / "release"
    place.mkdir()
    (place / manifest.FILE_NAME).write_text(json.dumps(manifest.as_data(sample()) | {"schema": 9}))
    (place / "opencode-linux-x64.tar.gz").write_text("packed")
    names = [path.name for path in place.iterdir()]
    (place / sums.FILE_NAME).write_text(sums.text(sums.of(place, names)))
    return place


def test_a_new_an_empty_and_an_old_release_directory_may_be_used(tmp_path: Path, former: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "new" / "deep", tmp_path / "empty", former):
        directory.require_usable(place)


def test_foreign_files_are_named(tmp_path: Path, former: Path) -> None:
    (former / "thesis.doc").write_text("years of work")
    other = tmp_path / "other"
    other.mkdir()
    (other / "manifest.json").write_text('{"name": "a browser extension"}')

    for place, name in ((former, "thesis.doc"), (other, "manifest.json")):
        with pytest.raises(ReleaseError, match="cannot be written") as caught:
            directory.require_usable(place)
        assert name in caught.value.why
        assert "--out" in caught.value.next_step


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)
    for place in (tmp_path / "file", tmp_path / "link", tmp_path / "file" / "below"):
        with pytest.raises(ReleaseError):
            directory.require_usable(place)


def test_a_mount_point_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    root = Path(tmp_path.anchor)
    with pytest.raises(ReleaseError, match="cannot be written") as caught:
        directory.require_usable(root)
    assert "mount point" in caught.value.why
    assert caught.value.next_step.endswith(f"--out {root / 'release'}")


def test_an_old_release_with_damaged_sums_is_not_deleted(former: Path) -> None:
    (former / sums.FILE_NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(ReleaseError, match="cannot be written"):
        directory.require_usable(former)


def test_space_is_needed_for_all_archives_but_not_for_all_binaries_at_once() -> None:
    one, all_ = directory.room_for(1, 0), directory.room_for(12, 0)
    assert all_.out == 12 * one.out
    assert all_.store == directory.BINARIES_AT_ONCE * one.store
    assert directory.room_for(12, 3).store == all_.store + 3 * directory.RUNTIME_BYTES


def test_too_little_space_is_reported_before_anything_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 2_000_000_000))
    directory.require_room(
        Room(store=900_000_000, out=900_000_000), tmp_path, tmp_path / "not" / "there", SilentReporter()
    )
    with pytest.raises(ReleaseError, match="not enough disk space") as caught:
        directory.require_room(Room(store=1_100_000_000, out=1_100_000_000), tmp_path, tmp_path / "x", SilentReporter())
    assert "2.2 GB" in caught.value.why
    assert "--target" in caught.value.next_step
