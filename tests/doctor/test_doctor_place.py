"""Who owns the store, and whether programs can be run from it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencode_patcher.base.errors import StoreError
from opencode_patcher.base.store import Store, open_store, require_programs_run
from opencode_patcher.doctor import disk


@pytest.fixture
def noexec(tmp_path: Path) -> Iterator[Path]:
    """A mount from which no program can be run."""
    place = tmp_path / "noexec"
    place.mkdir()
    mounted = os.name != "nt" and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "noexec,size=1m", "none", str(place)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_store_of_your_own_is_fine(store: Store, tmp_path: Path) -> None:
    assert [*disk.check_place(store.root, tmp_path)] == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_part_of_the_store_that_belongs_to_another_user_is_named(store: Store, tmp_path: Path) -> None:
    store.sources.mkdir()
    os.chown(store.sources, 1234, 1234)

    (found,) = disk.check_place(store.root, tmp_path)

    assert found.level == "warning"
    assert "uid 1234" in found.text
    assert found.fix == f"Make it yours: chown -R 0 {store.root}"


def test_a_mount_that_runs_no_programs_is_named_with_the_fix(noexec: Path, tmp_path: Path) -> None:
    store = open_store(noexec / "store")

    with pytest.raises(StoreError, match="noexec"):
        require_programs_run(store)
    (found,) = disk.check_place(store.root, tmp_path)
    (temporary,) = disk.check_place(open_store(tmp_path / "store").root, noexec)

    assert (found.level, found.check) == ("blocks", "programs")
    assert "OPENCODE_PATCHER_HOME" in found.fix
    assert temporary.level == "warning"
    assert "TMPDIR" in temporary.fix
