"""Throw-away directories are private and removed, also those that a killed run has left."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest
from filelock import FileLock

from opencode_patcher.base import scratch

LONG_AGO = 1_000_000_000.0


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TMPDIR."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def left_behind(path: Path, made: float = LONG_AGO) -> Path:
    (path / "it" / "inside").mkdir(parents=True)
    (path / scratch.IN_USE).touch()
    os.utime(path, (made, made))
    return path


def test_it_is_private_and_empty_and_is_removed_at_the_end(temporary: Path) -> None:
    before = os.umask(0)
    try:
        with scratch.directory("test") as place:
            assert list(place.iterdir()) == []
            assert [path.stat().st_mode & 0o777 for path in (place, place.parent)] == [0o700, 0o700]
            (place / "file").touch()
    finally:
        os.umask(before)
    assert list(temporary.iterdir()) == []


def test_the_next_run_removes_what_a_killed_run_left(temporary: Path, tmp_path: Path) -> None:
    left_behind(temporary / "opencode-patcher-drill-abc")
    left_behind(temporary / "somebody-elses")
    left_behind(temporary / "opencode-patcher-drill-young", made=time.time())
    held = left_behind(temporary / "opencode-patcher-drill-held")
    (temporary / "opencode-patcher-drill-link").symlink_to(left_behind(tmp_path / "elsewhere"))
    with FileLock(held / scratch.IN_USE):
        os.utime(held, (LONG_AGO, LONG_AGO))
        with scratch.directory("test"):
            pass
    assert sorted(path.name for path in temporary.iterdir()) == [
        "opencode-patcher-drill-held",
        "opencode-patcher-drill-link",
        "opencode-patcher-drill-young",
        "somebody-elses",
    ]
    assert (tmp_path / "elsewhere" / "it" / "inside").is_dir()
