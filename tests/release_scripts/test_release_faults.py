"""install.sh with bad input or on a bad system: it says so, and the previous program still starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.store import open_store
from opencode_patcher.install import builds
from tests.release_scripts.script_samples import (
    PROGRAMS,
    STILL,
    Machine,
    make_machine,
    make_release,
    pack_tar,
    program,
    started,
    unharmed,
    write_sums,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the machines of these tests are Linux")


def archives(release: Path) -> list[Path]:
    found = list(release.glob("*.tar.gz"))
    assert found
    return found


def tampered(release: Path) -> None:
    for path in archives(release):
        path.write_bytes(path.read_bytes() + b"\0")


def other_sums(release: Path) -> None:
    sums = release / "SHA256SUMS"
    sums.write_text("".join(f"{'0' * 64}{line[64:]}\n" for line in sums.read_text().splitlines()))


def tampered_manifest(release: Path) -> None:
    for path in release.glob("*.build.json"):
        path.write_text(path.read_text().replace('"tool_version": "0.1.0"', '"tool_version": "0.2.0"'))


def other_program(release: Path) -> None:
    for path in archives(release):
        pack_tar(path, {"opencode": program("third")})
    write_sums(release)


def link_as_program(release: Path) -> None:
    for path in archives(release):
        with tarfile.open(path, "w:gz") as archive:
            link = tarfile.TarInfo("opencode")
            link.type, link.linkname = tarfile.SYMTYPE, "/bin/sh"
            archive.addfile(link)
    write_sums(release)


def no_program(release: Path) -> None:
    for path in archives(release):
        pack_tar(path, {"readme": b"nothing"})
    write_sums(release)


def no_archive(release: Path) -> None:
    for path in archives(release):
        path.write_bytes(b"this is no archive")
    write_sums(release)


def no_target(release: Path) -> None:
    for path in release.glob("opencode-*"):
        path.unlink()
    (release / "opencode-darwin-arm64.zip").write_bytes(b"")
    write_sums(release)


def odd_manifest(release: Path) -> None:
    for path in release.glob("*.build.json"):
        path.write_text(path.read_text().replace('"version": "1.18.3"', '"version": "../../../etc"'))
    write_sums(release)


FAULTS: dict[Callable[[Path], None], str] = {
    tampered: ".tar.gz is not the file that was released.\nExpected SHA-256: ",
    other_sums: ".build.json is not the file that was released.\nExpected SHA-256: ",
    tampered_manifest: ".build.json is not the file that was released.",
    other_program: "is not the one that was built.",
    link_as_program: "is not the one that was built.",
    no_program: "cannot be unpacked.",
    no_archive: "cannot be unpacked.",
    no_target: "This release has nothing for linux-",
    odd_manifest: "cannot be read.",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_release_that_does_not_match_its_checksums(
    installed: Machine, second: Path, fault: Callable[[Path], None]
) -> None:
    fault(second)
    done = installed.install(OPENCODE_RELEASE_URL=second)
    unharmed(installed, done)
    assert FAULTS[fault] in done.stderr
    if fault is no_target:
        assert "It lists: opencode-darwin-arm64.zip" in done.stderr


BROKEN_ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xf7\x00" + bytes(100)
"""The head of a program for an architecture that no machine of these tests has (0xf7, BPF)."""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (program("second", body="exit 3"), "does not start here"),
        (program("second", body="echo lost >&2; kill -KILL $$"), "lost"),
        (program("second", version="1.18.2"), "says it is version 1.18.2, not 1.18.3"),
        (b"#!/bin/sh\n", "says it is version (nothing)"),
        (BROKEN_ELF, "does not start here (it was built for linux-"),
    ],
)
def test_a_program_that_does_not_start(installed: Machine, tmp_path: Path, content: bytes, said: str) -> None:
    release = make_release(tmp_path / "second", "second", content=content)
    done = installed.install(OPENCODE_RELEASE_URL=release)
    unharmed(installed, done)
    assert said in done.stderr


def test_the_program_is_tried_without_the_users_settings(machine: Machine, tmp_path: Path) -> None:
    body = 'env > "$(dirname "$0")/environment"; pwd >> "$(dirname "$0")/environment"'
    release = make_release(tmp_path / "first", "first", body=body)
    machine.install(OPENCODE_RELEASE_URL=release, OPENCODE_CONFIG="theirs", XDG_CONFIG_HOME=machine.home / "config")
    [seen] = machine.store.glob("installed/*/environment")
    text = seen.read_text()
    assert "OPENCODE_" not in text
    assert f"XDG_CONFIG_HOME={machine.store}/incoming/run/config" in text
    assert f"HOME={machine.store}/incoming/run\n" in text
    assert text.endswith(f"{machine.store}/incoming/run\n")


@pytest.mark.parametrize("loader", ["curl", "wget"])
@pytest.mark.parametrize("part", ["SHA256SUMS", ".build.json", ".tar.gz"])
def test_an_incomplete_download(tmp_path: Path, first: Path, web: Any, loader: str, part: str) -> None:
    machine = make_machine(tmp_path / "machine", programs=(*PROGRAMS, loader))
    machine.install(OPENCODE_RELEASE_URL=first)
    if loader == "wget":
        # The real one tries twenty times.
        (machine.home / ".wgetrc").write_text("tries = 1\n")
    release = make_release(web.root / "second", "second")
    web.cut.update({path.name: 40 for path in release.iterdir() if path.name.endswith(part)})

    done = machine.install(OPENCODE_RELEASE_URL=f"{web.url}/second")

    unharmed(machine, done)
    assert f"{part} could not be fetched." in done.stderr
    assert f"From: {web.url}/second" in done.stderr

    web.cut.clear()
    assert machine.install(OPENCODE_RELEASE_URL=f"{web.url}/second").returncode == 0
    assert started(machine.place) == "second"


@pytest.mark.parametrize("loader", ["curl", "wget"])
def test_a_release_that_does_not_exist(tmp_path: Path, first: Path, web: Any, loader: str) -> None:
    machine = make_machine(tmp_path / "machine", programs=(*PROGRAMS, loader))
    machine.install(OPENCODE_RELEASE_URL=first)
    unharmed(machine, machine.install(OPENCODE_RELEASE_URL=f"{web.url}/missing"))
    done = machine.install(OPENCODE_RELEASE_URL=tmp_path / "missing")
    assert "There is no release in" in done.stderr


@pytest.mark.parametrize("loader", ["curl", "wget"])
def test_no_redirect_leads_from_https_to_http(tmp_path: Path, secure: Any, web: Any, loader: str) -> None:
    machine = make_machine(tmp_path / "machine", programs=(*PROGRAMS, loader))
    # The certificate is the test's own.
    (machine.home / ".curlrc").write_text("insecure\n")
    (machine.home / ".wgetrc").write_text("check_certificate = off\n")
    make_release(web.root / "first", "first")

    done = machine.install(OPENCODE_RELEASE_URL=f"{secure.url}/to-http/first", no_proxy="127.0.0.1")

    assert done.returncode == 1
    assert "SHA256SUMS could not be fetched." in done.stderr
    assert web.asked == []
    done = machine.install(OPENCODE_RELEASE_URL=f"{secure.url}/first", no_proxy="127.0.0.1")
    assert done.returncode == 0, done.stderr
    assert started(machine.place) == "first"


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ("curl", "curl or wget is needed"),
        ("sha256sum", "sha256sum or shasum is needed"),
        ("tar", "tar is needed"),
        ("flock", "flock or perl is needed"),
    ],
)
def test_a_machine_that_lacks_a_program(tmp_path: Path, web: Any, lacking: str, said: str) -> None:
    programs = [name for name in (*PROGRAMS, "curl") if name != lacking]
    machine = make_machine(tmp_path / "machine", programs=programs)
    make_release(web.root / "first", "first")
    done = machine.install(OPENCODE_RELEASE_URL=f"{web.url}/first")
    assert done.returncode == 1
    assert said in done.stderr
    assert not machine.place.exists()


BUSYBOX_WGET = """case "$*" in *--version*) echo "unrecognized option: version" >&2; exit 1 ;; esac
echo "$@" >> {log}"""


def test_a_program_that_cannot_verify_certificates_is_not_used(tmp_path: Path, secure: Any, web: Any) -> None:
    machine = make_machine(tmp_path / "machine", programs=PROGRAMS)
    log = tmp_path / "wget.log"
    machine.add("wget", BUSYBOX_WGET.format(log=log))
    done = machine.install(OPENCODE_RELEASE_URL=f"{secure.url}/first")
    assert done.returncode == 1
    assert "This wget cannot be used to fetch the release." in done.stderr
    for host in (
        "releases.invalid",
        "127.0.0.1.invalid",
        "localhost@elsewhere.invalid",
        "localhost:1@elsewhere.invalid",
    ):
        done = machine.install(OPENCODE_RELEASE_URL=f"http://{host}/first")
        assert done.returncode == 1
        assert "A release is not fetched over http." in done.stderr
    assert not log.exists()
    assert web.asked == []


@pytest.mark.parametrize("loader", ["curl", "wget"])
def test_a_login_in_the_address_is_used_and_not_shown(tmp_path: Path, web: Any, secure: Any, loader: str) -> None:
    machine = make_machine(tmp_path / "machine", programs=(*PROGRAMS, loader))
    seen = tmp_path / "arguments"
    real = shutil.which(loader)
    (machine.programs / loader).unlink()
    machine.add(loader, f'echo "$@" >> {seen}\nexec {real} "$@"')
    for url in (web.url, secure.url) if loader == "curl" else (secure.url,):
        done = machine.install(OPENCODE_RELEASE_URL=url.replace("://", "://me:p%40ssw0rd@") + "/missing")
        assert done.returncode == 1
        assert "could not be fetched" in done.stderr
        assert f"From: {url}/missing" in done.stderr
        assert "ssw0rd" not in done.stdout + done.stderr + seen.read_text()


def test_a_store_that_cannot_be_used(machine: Machine, first: Path) -> None:
    for root, said in {
        machine.home / ".opencode/bin/store": "would be overwritten by OpenCode's own updater",
        machine.root / "theirs": "was not made by opencode-patcher",
        machine.root / "newer": "newer version",
        machine.root / "file": "cannot be made",
    }.items():
        if root.name == "theirs":
            root.mkdir()
            (root / "thesis.txt").write_text("mine")
        elif root.name == "newer":
            (open_store(root).root / ".opencode-patcher-store").write_text('{\n  "format": 2\n}\n')
        elif root.name == "file":
            root.write_text("mine")
        done = machine.install(OPENCODE_RELEASE_URL=first, OPENCODE_PATCHER_HOME=root)
        assert done.returncode == 1
        assert said in done.stderr
        assert not machine.place.parent.exists()
    assert [path.name for path in (machine.root / "theirs").iterdir()] == ["thesis.txt"]


def test_a_state_of_a_newer_version(installed: Machine, second: Path) -> None:
    file = installed.store / "installed/state.json"
    text = file.read_text().replace('"format": 1', '"format": 2')
    file.write_text(text)
    done = installed.install(OPENCODE_RELEASE_URL=second)
    assert done.returncode == 1
    assert "state.json cannot be read" in done.stderr
    assert file.read_text() == text
    assert started(installed.place) == "first"


def test_a_bin_directory_that_is_not_a_directory(installed: Machine, second: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for bad in (file, file / "below", tmp_path / "a:b"):
        unharmed(installed, installed.install("--bin-dir", bad, OPENCODE_RELEASE_URL=second))
    assert file.read_text() == "mine"


def test_a_damaged_program_is_repaired(installed: Machine, first: Path) -> None:
    file = installed.place.resolve()
    file.write_bytes(program("changed"))
    assert started(installed.place) == "changed"
    assert installed.install(OPENCODE_RELEASE_URL=first).returncode == 0
    assert started(installed.place) == "first"
    [build] = builds.list_builds(open_store(installed.store))
    assert file_sha256(build.binary) == build.sha256


SIZES = (4, 8, 12, 16, 24, 32, 40, 48, 56, 64, 80, 96)
"""Sizes of a disk in KiB. Each lets the run get a little further."""


def test_a_disk_that_is_full_at_any_step(machine: Machine, tmp_path: Path) -> None:
    isolate = ("unshare", "--map-root-user", "--mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        not shutil.which("unshare")
        or subprocess.run(
            [*isolate, "mount", "-t", "tmpfs", "tmpfs", disk], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("needs the right to mount a tmpfs")
    for name in ("first", "second"):
        make_release(tmp_path / name, name, body=f"# {name * 2000}")
    place = disk / "bin/opencode"
    run = f'sh "{machine.script}" --bin-dir "{disk}/bin"'
    steps = [f'mount -t tmpfs -o size=64m tmpfs "{disk}"', f"OPENCODE_RELEASE_URL={tmp_path}/first {run} || exit 99"]
    for size in SIZES:
        # The disk is as full as it can be, but for so many bytes.
        steps.append(f'dd if=/dev/zero of="{disk}/filler" bs=1M 2>/dev/null; truncate -s -{size}k "{disk}/filler"')
        steps.append(f'OPENCODE_RELEASE_URL={tmp_path}/second {run}; echo "code $? and $("{place}")"')
    steps.append(f'rm "{disk}/filler"; OPENCODE_RELEASE_URL={tmp_path}/second {run}; echo "code $? and $("{place}")"')

    done = subprocess.run(
        [*isolate, "sh", "-c", "\n".join(steps)],
        env={"PATH": os.environ["PATH"], "OPENCODE_PATCHER_HOME": f"{disk}/store", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )

    seen = [re.sub("code [1-9]", "code 1", line) for line in done.stdout.splitlines()]
    assert len(seen) == len(SIZES) + 1, done.stderr
    assert seen[0] == "code 1 and first"
    assert set(seen) == {"code 1 and first", "code 0 and second"}, done.stderr
    assert seen == sorted(seen, reverse=True)
    assert done.stderr.count(STILL) == seen.count("code 1 and first")
    assert "No space left on device" in done.stderr
