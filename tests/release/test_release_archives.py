"""An archive's bytes depend on its content alone, and every tool can unpack it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from opencode_patcher.release import archives
from opencode_patcher.release.archives import ArchiveMember

NAMES = ("opencode-linux-x64.tar.gz", "opencode-darwin-arm64.zip")


@pytest.fixture
def members(tmp_path: Path) -> list[ArchiveMember]:
    (tmp_path / "program").write_bytes(b"\x7fELF" + bytes(range(256)) * 5000)
    (tmp_path / "LICENSE").write_text("MIT\n")
    return [
        ArchiveMember(name="opencode", path=tmp_path / "program", mode=0o755),
        ArchiveMember(name="LICENSE", path=tmp_path / "LICENSE"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_time_mode_and_place_of_the_files_do_not_matter(
    tmp_path: Path, members: list[ArchiveMember], name: str
) -> None:
    archives.write(tmp_path / name, members)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = []
    for member in members:
        copy = elsewhere / f"other-{member.name}"
        shutil.copyfile(member.path, copy)
        os.utime(copy, (1_000_000, 1_000_000))
        copy.chmod(0o600)
        moved.append(ArchiveMember(name=member.name, path=copy, mode=member.mode))
    archives.write(elsewhere / f"2-{name}", moved)

    assert (elsewhere / f"2-{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_a_tar_archive_has_fixed_owners_times_and_order(tmp_path: Path, members: list[ArchiveMember]) -> None:
    archives.write(tmp_path / NAMES[0], members)
    with tarfile.open(tmp_path / NAMES[0]) as archive:
        found = [(one.name, one.mode, one.uid, one.gid, one.uname, one.mtime) for one in archive.getmembers()]
    assert found == [
        ("opencode", 0o755, 0, 0, "", 315532800),
        ("LICENSE", 0o644, 0, 0, "", 315532800),
    ]
    assert (tmp_path / NAMES[0]).read_bytes()[3:8] == bytes(5), "gzip's header has no name and no time"


def test_a_zip_archive_has_fixed_times_modes_and_order(tmp_path: Path, members: list[ArchiveMember]) -> None:
    archives.write(tmp_path / NAMES[1], members)
    with zipfile.ZipFile(tmp_path / NAMES[1]) as archive:
        found = [(one.filename, one.date_time, stat.filemode(one.external_attr >> 16)) for one in archive.infolist()]
        assert archive.testzip() is None
    assert found == [
        ("opencode", (1980, 1, 1, 0, 0, 0), "-rwxr-xr-x"),
        ("LICENSE", (1980, 1, 1, 0, 0, 0), "-rw-r--r--"),
    ]


def test_the_tar_of_the_system_unpacks_it_as_upstreams_installer_does(
    tmp_path: Path, members: list[ArchiveMember]
) -> None:
    archives.write(tmp_path / NAMES[0], members)
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "-xzf", tmp_path / NAMES[0], "-C", tmp_path / "out"], check=True)
    assert (tmp_path / "out" / "opencode").read_bytes() == members[0].path.read_bytes()
    assert os.access(tmp_path / "out" / "opencode", os.X_OK)
