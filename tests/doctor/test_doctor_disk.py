"""Room on the disk."""

from __future__ import annotations

from pathlib import Path

from opencode_patcher.doctor.disk import BUILD_BYTES, TREE_BYTES, check_disk, needed_bytes


def test_what_is_there_already_needs_no_room() -> None:
    assert needed_bytes(tree_ready=False, built=False) == TREE_BYTES + BUILD_BYTES
    assert needed_bytes(tree_ready=True, built=False) == BUILD_BYTES
    assert needed_bytes(tree_ready=False, built=True) == 0


def test_a_place_that_is_not_there_yet_is_on_its_parents_disk(tmp_path: Path) -> None:
    assert check_disk(tmp_path / "not" / "there", 1).level == "good"


def test_too_little_room_blocks(tmp_path: Path) -> None:
    finding = check_disk(tmp_path, 10**18)
    assert finding.level == "blocks"
    assert "OPENCODE_PATCHER_HOME" in finding.fix
