"""Room on the disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from opencode_patcher.doctor.disk import BUILD_BYTES, TREE_BYTES, check_access, check_disk, check_own_file, needed_bytes


def test_what_already_exists_needs_no_space() -> None:
    assert needed_bytes(tree_ready=False, built=False) == TREE_BYTES + BUILD_BYTES
    assert needed_bytes(tree_ready=True, built=False) == BUILD_BYTES
    assert needed_bytes(tree_ready=False, built=True) == 0


def test_a_missing_directory_is_on_the_disk_of_its_parent(tmp_path: Path) -> None:
    assert check_disk(tmp_path / "not" / "there", 1).level == "good"


def test_too_little_space_blocks(tmp_path: Path) -> None:
    finding = check_disk(tmp_path, 10**18)
    assert finding.level == "blocks"
    assert "OPENCODE_PATCHER_HOME" in finding.fix


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_directory_that_others_can_change_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_access(tmp_path / "missing") is None
    for mode, open_to_others in ((0o700, False), (0o755, False), (0o770, True), (0o702, True), (0o1777, True)):
        tmp_path.chmod(mode)
        finding = check_access(tmp_path)
        assert (finding is not None) == open_to_others
        if finding:
            assert finding.fix == f"chmod go-w {tmp_path}"
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    finding = check_access(tmp_path) if tmp_path.stat().st_uid else None
    assert finding is None or "another user" in finding.text


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_file_of_ours_that_is_not_the_users_alone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, link, pipe = tmp_path / "ours", tmp_path / "link", tmp_path / "pipe"
    assert check_own_file(ours) is None
    ours.touch(mode=0o600)
    assert check_own_file(ours) is None
    ours.chmod(0o640)
    finding = check_own_file(ours)
    assert finding
    assert finding.fix == f"chmod go-rwx {ours}"
    link.symlink_to(ours)
    os.mkfifo(pipe)
    for one in (link, pipe):
        finding = check_own_file(one)
        assert finding
        assert "is not a regular file, so OpenCode does not use it" in finding.text
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    finding = check_own_file(ours)
    assert finding
    assert "belongs to another user" in finding.text
