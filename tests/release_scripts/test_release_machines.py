"""Which archive install.sh takes, on machines that programs on PATH pretend to be."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.store import open_store
from opencode_patcher.base.version import Release
from opencode_patcher.install import builds, records
from opencode_patcher.install.status import status
from opencode_patcher.install.systems.macos import MacOS
from opencode_patcher.toolchain.platforms import Platform, bun_package
from tests.release_scripts.script_samples import PROGRAMS, Machine, make_machine, make_release, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the machines of these tests are Linux")

DARWIN = ("darwin-arm64", "darwin-x64", "darwin-x64-baseline")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A machine: what ``uname -s`` and ``-m`` say, its processor and C library, and what sysctl knows (macOS)."""

    system: str
    machine: str
    avx2: bool = True
    musl: bool = False
    sysctl: Mapping[str, str] | None = None


KINDS = {
    "linux-x64": Kind(system="Linux", machine="x86_64"),
    "linux-x64-baseline": Kind(system="Linux", machine="x86_64", avx2=False),
    "linux-arm64": Kind(system="Linux", machine="aarch64", avx2=False),
    "linux-x64-musl": Kind(system="Linux", machine="x86_64", musl=True),
    "linux-x64-baseline-musl": Kind(system="Linux", machine="x86_64", avx2=False, musl=True),
    "linux-arm64-musl": Kind(system="Linux", machine="aarch64", avx2=False, musl=True),
    "darwin-arm64": Kind(system="Darwin", machine="arm64", sysctl={}),
    "darwin-x64": Kind(system="Darwin", machine="x86_64", sysctl={"hw.optional.avx2_0": "1"}),
    "darwin-x64-baseline": Kind(system="Darwin", machine="x86_64", sysctl={"hw.optional.avx2_0": "0"}),
}
ROSETTA = Kind(system="Darwin", machine="x86_64", sysctl={"sysctl.proc_translated": "1", "hw.optional.avx2_0": "1"})


def pretend(machine: Machine, kind: Kind) -> None:
    machine.add("uname", f'[ "$1" = -s ] && echo {kind.system} || echo {kind.machine}')
    grep = shutil.which("grep")
    machine.add("grep", f'case "$*" in *cpuinfo) exit {0 if kind.avx2 else 1} ;; esac; exec {grep} "$@"')
    machine.add("getconf", f"exit {1 if kind.musl else 0}")
    if kind.musl:
        # The loader itself is looked for in /lib, which is not the test's.
        text = machine.script.read_text().replace("/lib/ld-musl", f"{machine.root}/ld-musl")
        machine.script.write_text(text)
        (machine.root / "ld-musl-x86_64.so.1").touch()
    if kind.sysctl is not None:
        known = " ".join(f'{name}) echo "{value}" ;;' for name, value in kind.sysctl.items())
        machine.add("sysctl", f'case "$2" in {known} *) echo "unknown oid" >&2; exit 1 ;; esac')
        machine.add("unzip", f'exec {sys.executable} "$(dirname "$0")/unzip.py" "$@"')
        (machine.programs / "unzip.py").write_text(UNZIP)


UNZIP = """
import sys, zipfile
assert sys.argv[1:3] == ["-q", "-o"] and sys.argv[5] == "-d"
zipfile.ZipFile(sys.argv[3]).extract(sys.argv[4], sys.argv[6])
"""


@pytest.mark.parametrize("target", KINDS)
def test_the_archive_for_a_machine(machine: Machine, tmp_path: Path, target: str) -> None:
    pretend(machine, KINDS[target])
    release = make_release(tmp_path / "release", "first", targets=[target])
    done = machine.install(OPENCODE_RELEASE_URL=release)
    assert done.returncode == 0, done.stderr
    assert f"Fetching opencode-{target}." in done.stderr
    assert started(machine.place) == "first"


def test_a_shell_under_rosetta_gets_the_program_for_the_machine(machine: Machine, tmp_path: Path) -> None:
    pretend(machine, ROSETTA)
    release = make_release(tmp_path / "release", "first", targets=DARWIN)
    done = machine.install(OPENCODE_RELEASE_URL=release)
    assert "Fetching opencode-darwin-arm64.zip" in done.stderr


@pytest.mark.parametrize("target", KINDS)
def test_the_rules_are_those_of_the_toolchain(target: str) -> None:
    kind = KINDS[target]
    sysctl = kind.sysctl or {}
    avx2 = kind.avx2 if kind.sysctl is None else sysctl.get("hw.optional.avx2_0") == "1"
    platform = Platform(system=kind.system.lower(), machine=kind.machine, musl=kind.musl, avx2=avx2)
    words = set(bun_package(platform).removeprefix("@oven/bun-").replace("aarch64", "arm64").split("-"))
    assert words == set(target.split("-"))


@pytest.mark.parametrize(
    ("system", "machine_name"), [("FreeBSD", "amd64"), ("MINGW64_NT-10.0", "x86_64"), ("Linux", "riscv64")]
)
def test_a_machine_that_upstream_does_not_build_for(
    machine: Machine, first: Path, system: str, machine_name: str
) -> None:
    pretend(machine, Kind(system=system, machine=machine_name))
    done = machine.install(OPENCODE_RELEASE_URL=first)
    assert done.returncode == 1
    assert "There is no release for" in done.stderr
    assert ("install.ps1" in done.stderr) == (system != "Linux")
    assert list(machine.home.iterdir()) == []


def test_macos_gets_the_very_program_that_was_released(tmp_path: Path) -> None:
    programs = (*(name for name in PROGRAMS if name not in ("flock", "sha256sum")), "perl", "shasum")
    if not all(shutil.which(name) for name in programs):
        pytest.skip("needs perl and shasum, which macOS has")
    machine = make_machine(tmp_path / "machine", programs=programs)
    pretend(machine, KINDS["darwin-arm64"])
    for name in ("first", "second", "first"):
        if not (tmp_path / name).exists():
            make_release(tmp_path / name, name, targets=DARWIN)
        done = machine.install(OPENCODE_RELEASE_URL=tmp_path / name, SHELL="/bin/bash")
        assert done.returncode == 0, done.stderr
    assert "add this to ~/.bash_profile:" in done.stderr

    root = machine.home / "Library/Application Support/opencode-patcher"
    store = open_store(root)
    for build in builds.list_builds(store):
        assert file_sha256(build.binary) == build.sha256
        record = records.read(root / "installed" / build.directory.name)
        assert record is not None
        assert records.is_unchanged(record)
        assert record.sha256 == build.sha256
    environment = {"HOME": str(machine.home), "PATH": str(machine.place.parent)}
    locked = Release(tag="v1.18.3", version=(1, 18, 3), commit="c" * 40)
    assert status(store, MacOS(), environment, locked).name == "current"
