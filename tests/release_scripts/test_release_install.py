"""install.sh of a release: what it installs is what opencode-patcher would have installed."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.line import OPENCODE_2
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import open_store
from opencode_patcher.base.version import Release
from opencode_patcher.install import activate, builds, state
from opencode_patcher.install.rollback import rollback
from opencode_patcher.install.status import status
from opencode_patcher.install.systems.posix import Posix
from opencode_patcher.install.uninstall import uninstall
from tests.release_scripts.script_samples import (
    LOCKED,
    PROGRAMS,
    RELEASE,
    Machine,
    make_machine,
    make_release,
    program,
    render,
    started,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the machines of these tests are Linux")

SHELLS = {
    "dash": ("/bin/dash", None, "curl"),
    "dash with wget": ("/bin/dash", None, "wget"),
    "bash": ("/bin/bash", None, "curl"),
    "busybox": ("busybox", "busybox", "wget"),
}


def machine_with(root: Path, kind: str) -> Machine:
    shell, box, loader = SHELLS[kind]
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    busybox = shutil.which(box) if box else None
    return make_machine(
        root, programs=(*PROGRAMS, loader), busybox=busybox, shell=(busybox, "sh") if busybox else (shell,)
    )


def state_of(machine: Machine) -> str:
    environment = {"HOME": str(machine.home), "PATH": str(machine.place.parent)}
    return status(open_store(machine.store), Posix(), environment, LOCKED).name


def test_opencode_2_is_installed_beside_the_first_line(tmp_path: Path) -> None:
    machine = make_machine(tmp_path / "machine")
    one = make_release(tmp_path / "one", "first")
    content = program("second", version="opencode2 v2.0.26")
    newer = Release(tag="v2.0.26", version=(2, 0, 26), commit="d" * 40)
    two = make_release(tmp_path / "two", "second", content=content, release=newer)
    assert machine.install(OPENCODE_RELEASE_URL=one).returncode == 0
    machine.script.write_text(render("install.sh", line=OPENCODE_2))

    done = machine.install(OPENCODE_RELEASE_URL=two)

    assert done.returncode == 0, done.stderr
    second = machine.place.with_name("opencode2")
    assert f"OpenCode 2.0.26 with combined models is installed: {second}" in done.stderr
    assert (started(machine.place), started(second)) == ("first", "second")
    store = open_store(machine.store)
    found = status(store, Posix("opencode2"), {"HOME": str(machine.home), "PATH": str(second.parent)}, newer)
    assert found.name == "current"
    assert state_of(machine) == "current"


@pytest.mark.parametrize("kind", SHELLS)
def test_installed_from_the_web(tmp_path: Path, kind: str, web: Any) -> None:
    machine = machine_with(tmp_path / "machine", kind)
    make_release(web.root / "one", "first")

    done = machine.install(OPENCODE_RELEASE_URL=f"{web.url}/one")

    assert done.returncode == 0, done.stderr
    assert f"OpenCode 1.18.3 with combined models is installed: {machine.place}" in done.stderr
    assert started(machine.place) == "first"
    assert state_of(machine) == "current"
    [build] = builds.list_builds(open_store(machine.store))
    assert abs(build.built_at - time.time()) < 3600, "it came into the store just now"
    assert build.sha256 == file_sha256(machine.place)
    assert web.asked[0] == "SHA256SUMS"
    assert len(web.asked) == 3


@pytest.mark.parametrize("kind", SHELLS)
def test_another_release_and_back(tmp_path: Path, kind: str, first: Path, second: Path) -> None:
    machine = machine_with(tmp_path / "machine", kind)
    for release in (first, second, first):
        done = machine.install(OPENCODE_RELEASE_URL=release)
        assert done.returncode == 0, done.stderr
        assert started(machine.place) == release.name
        assert state_of(machine) == "current"
    assert "Fetching" not in done.stderr, "what is in the store is not fetched again"

    store = open_store(machine.store)
    listed = builds.list_builds(store)
    assert len(listed) == 2
    history = [entry.build for entry in state.read(store).history]
    assert len(history) == 3
    assert history[0] == history[2]
    assert sorted(history[:2]) == sorted(build.directory.name for build in listed)
    assert all(entry.at and entry.at.endswith("+00:00") for entry in state.read(store).history)


def test_opencode_patcher_rolls_back_and_uninstalls(machine: Machine, first: Path, second: Path) -> None:
    for release in (first, second):
        machine.install(OPENCODE_RELEASE_URL=release)
    store = open_store(machine.store)

    rollback(store, Posix(), SilentReporter())
    assert started(machine.place) == "first"
    machine.install(OPENCODE_RELEASE_URL=second)
    assert started(machine.place) == "second"
    rollback(store, Posix(), SilentReporter())
    assert started(machine.place) == "first"

    uninstall(store, Posix(), SilentReporter())
    assert list(machine.place.parent.iterdir()) == []
    assert len(builds.list_builds(store)) == 2


def test_opencode_patcher_installs_it_again(machine: Machine, first: Path, second: Path) -> None:
    for release in (first, second):
        machine.install(OPENCODE_RELEASE_URL=release)
    store = open_store(machine.store)

    names = dict(zip((entry.build for entry in state.read(store).history), ("first", "second"), strict=True))
    for wanted in (None, *names):
        uninstall(store, Posix(), SilentReporter())
        build = activate.choose_build(builds.list_builds(store), wanted)
        assert not build.verified, "the release was drilled, but not here"
        activate.install(store, Posix(), build, {"HOME": str(machine.home)}, SilentReporter())
        assert started(machine.place) == names[wanted or build.directory.name]
        assert state_of(machine) == "current"
    assert machine.install(OPENCODE_RELEASE_URL=second).returncode == 0
    assert started(machine.place) == "second"


def test_the_files_are_written_as_opencode_patcher_writes_them(machine: Machine, first: Path, second: Path) -> None:
    """Else the script could not read, line by line, what opencode-patcher has written, nor the other way round."""
    for release in (first, second):
        machine.install(OPENCODE_RELEASE_URL=release)
    written = [
        machine.store / ".opencode-patcher-store",
        *machine.store.glob("*/*.json"),
        *machine.store.glob("*/*/*.json"),
    ]
    assert len(written) == 6
    for path in written:
        text = path.read_text()
        assert json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n" == text


def test_the_records_of_opencode_patcher_stay(machine: Machine, first: Path, second: Path) -> None:
    machine.install(OPENCODE_RELEASE_URL=first)
    store = open_store(machine.store)
    before = state.read(store)
    kept = (machine.home / "opencode.before-opencode-patcher", machine.home / "another")
    state.write(store, dataclasses.replace(before, aside=kept, history=()))

    machine.install(OPENCODE_RELEASE_URL=second)

    after = state.read(store)
    assert after.aside == kept
    assert after.place == before.place
    # The link shows that the first was active, although this was not recorded.
    assert [entry.at is None for entry in after.history] == [True, False]
    assert after.history[0].build == before.history[0].build


@pytest.mark.parametrize(
    "name", ["with spaces", "quo'te\"s", "back\\slash", "ümläut-日本", "🙂 \ud7ff\ue000\U0010ffff", "$HOME`id`"]
)
def test_paths(tmp_path: Path, name: str, first: Path, second: Path) -> None:
    machine = make_machine(tmp_path / name)
    release = tmp_path / f"release {name}"
    first.rename(release)
    for source in (release, second):
        done = machine.install(OPENCODE_RELEASE_URL=source)
        assert done.returncode == 0, done.stderr
        assert state_of(machine) == "current"
    assert started(machine.place) == "second"
    assert state.read(open_store(machine.store)).place == machine.place
    line = done.stderr.splitlines()[-1]
    shown = subprocess.run(["/bin/sh", "-c", f"{line}; echo $PATH"], capture_output=True, text=True, check=True).stdout
    assert shown.startswith(f"{machine.place.parent}:")


@pytest.mark.parametrize(
    "name", [b"caf\xe9", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xf4\x90\x80\x80", b"\xff"]
)
def test_a_bin_directory_whose_name_is_not_utf_8(machine: Machine, first: Path, name: bytes) -> None:
    odd = machine.home / os.fsdecode(name)
    for words, variables in (
        (("--bin-dir", odd), {}),
        ((), {"XDG_BIN_HOME": odd}),
        ((), {"HOME": odd, "OPENCODE_PATCHER_HOME": machine.store}),
        ((), {"OPENCODE_PATCHER_HOME": odd}),
    ):
        done = machine.install(*words, OPENCODE_RELEASE_URL=first, **variables)
        assert done.returncode == 1
        assert "A path that is not UTF-8 cannot be used: " in done.stderr
        assert not odd.exists()


def test_places_of_the_users(machine: Machine, first: Path, tmp_path: Path) -> None:
    store, data, own = tmp_path / "store", tmp_path / "data", tmp_path / "own bin"

    machine.install("--bin-dir", own, OPENCODE_RELEASE_URL=first, HOME=None, OPENCODE_PATCHER_HOME=store)
    assert started(own / "opencode") == "first"
    assert len(builds.list_builds(open_store(store))) == 1

    machine.install(OPENCODE_RELEASE_URL=first, HOME=None, XDG_DATA_HOME=data, XDG_BIN_HOME=tmp_path / "xdg")
    assert started(tmp_path / "xdg/opencode") == "first"
    assert len(builds.list_builds(open_store(data / "opencode-patcher"))) == 1


def test_the_store_is_where_opencode_patcher_looks_for_it(
    machine: Machine, first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variables in (
        {"OPENCODE_PATCHER_HOME": "~/own store"},
        {"OPENCODE_PATCHER_HOME": "relative"},
        {"OPENCODE_PATCHER_HOME": str(machine.home / "absolute"), "XDG_DATA_HOME": "/nowhere"},
        {"OPENCODE_PATCHER_HOME": "", "XDG_DATA_HOME": str(machine.home / "data")},
        {"XDG_DATA_HOME": "relative"},
    ):
        with monkeypatch.context() as changed:
            changed.delenv("OPENCODE_PATCHER_HOME")
            changed.setenv("HOME", str(machine.home))
            changed.chdir(machine.root)
            for name, value in variables.items():
                changed.setenv(name, value)
            place = machine.home / f"bin-{len(list(machine.home.iterdir()))}"
            done = machine.install("--bin-dir", place, OPENCODE_RELEASE_URL=first, **variables)
            assert done.returncode == 0, done.stderr
            assert len(builds.list_builds(open_store())) == 1


def test_other_users_reach_the_link_but_not_the_program(machine: Machine, first: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        shared = Path(name)
        store, bin_dir = shared / "home/store", shared / "bin"
        shared.chmod(0o755)
        said = []
        for home_mode, bin_mode in ((0o700, 0o755), (0o711, 0o755), (0o700, 0o700)):
            for directory, mode in ((store.parent, home_mode), (bin_dir, bin_mode)):
                directory.mkdir(exist_ok=True)
                directory.chmod(mode)
            done = machine.install("--bin-dir", bin_dir, OPENCODE_RELEASE_URL=first, OPENCODE_PATCHER_HOME=store)
            assert done.returncode == 0, done.stderr
            said.append(f"they can enter {bin_dir}, but not {store.parent}, where" in done.stderr)
        assert said == [True, False, False]


@pytest.mark.parametrize("inside", [".", "installed/BUILD", "new/bin", "../link"])
def test_a_bin_directory_in_the_store_is_refused(machine: Machine, first: Path, inside: str) -> None:
    machine.install(OPENCODE_RELEASE_URL=first)
    machine.place.unlink()
    [build] = builds.list_builds(open_store(machine.store))
    (machine.store.parent / "link").symlink_to(machine.store)
    before = sorted(machine.store.rglob("*"))
    wanted = machine.store / inside.replace("BUILD", build.directory.name)
    done = machine.install("--bin-dir", wanted, OPENCODE_RELEASE_URL=first)
    assert done.returncode == 1
    assert "is in the store, where the programs themselves are kept." in done.stderr
    assert sorted(machine.store.rglob("*")) == before


def test_without_a_home(machine: Machine, first: Path) -> None:
    done = machine.install(OPENCODE_RELEASE_URL=first, HOME=None)
    assert done.returncode == 1
    assert "OPENCODE_PATCHER_HOME=DIR sh install.sh --bin-dir DIR" in done.stderr


def test_the_recorded_place_is_used_again_and_is_the_only_one(machine: Machine, first: Path, second: Path) -> None:
    own = machine.home / "own"
    machine.install("--bin-dir", own, OPENCODE_RELEASE_URL=first)
    machine.install(OPENCODE_RELEASE_URL=second)
    assert started(own / "opencode") == "second"
    assert not machine.place.exists()

    done = machine.install("--bin-dir", machine.home / "elsewhere", OPENCODE_RELEASE_URL=first)
    assert done.returncode == 1
    assert f"installed in {own} already" in done.stderr
    assert started(own / "opencode") == "second"


@pytest.mark.parametrize("kind", ["file", "link", "broken link", "directory"])
def test_nothing_of_the_users_is_replaced(machine: Machine, first: Path, kind: str) -> None:
    place = machine.place
    place.parent.mkdir(parents=True)
    (machine.home / "theirs").write_bytes(program("theirs"))
    if kind == "file":
        (machine.home / "theirs").rename(place)
    elif kind == "directory":
        place.mkdir()
    else:
        place.symlink_to(machine.home / ("theirs" if kind == "link" else "nowhere"))
    before = (place.lstat().st_ino, place.lstat().st_mtime_ns)

    done = machine.install(OPENCODE_RELEASE_URL=first)

    assert done.returncode == 1
    assert f"{place} is not from opencode-patcher." in done.stderr
    assert "What was installed before is still in place." in done.stderr
    assert (place.lstat().st_ino, place.lstat().st_mtime_ns) == before
    assert [path.name for path in place.parent.iterdir()] == ["opencode"]


def test_the_command_that_comes_first_on_path(machine: Machine, first: Path) -> None:
    machine.add("opencode", "echo theirs")
    path = f"{machine.programs}:{machine.place.parent}"
    done = machine.install(OPENCODE_RELEASE_URL=first, PATH=path, SHELL="/usr/bin/zsh")
    assert f"starts another program: {machine.programs}/opencode" in done.stderr
    assert "add this to ~/.zshrc:" in done.stderr

    done = machine.install(OPENCODE_RELEASE_URL=first, PATH=f"{machine.place.parent}/:{machine.programs}")
    assert done.stderr.endswith("Start it: opencode\n")


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ((), f"https://github.com/example/fork/releases/download/{RELEASE}"),
        (("--version", "v1.17.0-2"), "https://github.com/example/fork/releases/download/v1.17.0-2"),
        (("--version", "latest"), "https://github.com/example/fork/releases/latest/download"),
    ],
)
def test_the_requested_release(machine: Machine, words: Sequence[str], url: str) -> None:
    machine.add("curl", f'cat >> "{machine.root}/asked"; exit 22')
    done = machine.install(*words)
    assert done.returncode == 1
    assert f"SHA256SUMS could not be fetched.\nFrom: {url}\n" in done.stderr
    assert (machine.root / "asked").read_text() == f'url = "{url}/SHA256SUMS"\n'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--version", "../../other/repo"), "is not a tag"),
        (("--version", "v1$(id)"), "is not a tag"),
        (("--version",), "needs a value"),
        (("--force",), "no option --force"),
        (("--version", "v1.18.3"), "names one release"),
    ],
)
def test_unknown_arguments(machine: Machine, first: Path, words: Sequence[str], said: str) -> None:
    url = {"OPENCODE_RELEASE_URL": first} if said == "names one release" else {}
    done = machine.install(*words, **url)
    assert done.returncode == 1
    assert said in done.stderr
    assert list(machine.home.iterdir()) == []


def test_a_release_that_does_not_know_where_it_is_published(machine: Machine, first: Path) -> None:
    machine.script.write_text(render("install.sh", repository="", release=""))
    done = machine.install()
    assert "OPENCODE_RELEASE_URL=DIR sh install.sh" in done.stderr
    assert machine.install(OPENCODE_RELEASE_URL=first).returncode == 0


def test_sums_whose_lines_end_with_crlf(machine: Machine, first: Path) -> None:
    sums = first / "SHA256SUMS"
    sums.write_bytes(sums.read_bytes().replace(b"\n", b"\r\n"))
    done = machine.install(OPENCODE_RELEASE_URL=first)
    assert done.returncode == 0, done.stderr
    assert started(machine.place) == "first"


def test_a_truncated_script_does_nothing(machine: Machine, first: Path) -> None:
    """A download that breaks off on its way into a shell."""
    whole = machine.script.read_text()
    for size in range(0, len(whole) - len('main "$@"\n'), 997):
        machine.script.write_text(whole[:size])
        machine.install(OPENCODE_RELEASE_URL=first)
        assert list(machine.home.iterdir()) == []
