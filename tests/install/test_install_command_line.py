"""The commands in processes of their own: odd names, full disks, missing rights."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_patcher.base.store import open_store
from opencode_patcher.upstream.lock import read_lock
from tests import forks
from tests.install.install_samples import entries, make_build, program, started

ROOT = Path(__file__).parents[2]

ODD = ("with space", "it's", 'say "hi"', "ünï-日本", "$HOME;`x` & (y)", "-dash", "~tilde")

UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
"""Even root may not pass over the bits of a file without its capabilities."""


@dataclass(kw_only=True)
class CommandLine:
    """Runs ``opencode-patcher``, with a HOME and a store below ``root`` that may have any name."""

    root: Path
    store: Path
    fork: forks.Start
    prefix: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        return {**os.environ, "OPENCODE_PATCHER_HOME": str(self.store), "PYTHONPATH": str(ROOT)}

    def argv(self, *words: str | Path) -> list[str]:
        return [*self.prefix, sys.executable, "-m", "opencode_patcher", *map(str, words)]

    def __call__(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        environment, argv = self.environment(), self.argv(*words)
        if self.prefix:
            done = subprocess.run(argv, env=environment, cwd=self.root, capture_output=True, text=True, check=False)
        else:
            process = self.fork([str(word) for word in words], env=environment, cwd=self.root)
            out, err = process.communicate()
            done = subprocess.CompletedProcess(argv, process.wait(), out, err)
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def command_line(tmp_path: Path, fork: forks.Start) -> CommandLine:
    return CommandLine(root=tmp_path, store=tmp_path / "store", fork=fork)


@pytest.mark.parametrize("name", ODD)
def test_odd_names_from_the_first_install_to_the_last(tmp_path: Path, fork: forks.Start, name: str) -> None:
    root = tmp_path / name
    root.mkdir()
    run = CommandLine(root=root, store=root / "the store" / name, fork=fork)
    for label in ("first", "second"):
        build = make_build(open_store(run.store), label, read_lock().release.number)
        assert run("install", build.directory.name, f"--bin-dir={root / name}").returncode == 0
    assert started(root / name / "opencode") == "second"

    found = json.loads(run("status", "--json").stdout)
    assert (found["state"], found["path"]["status"]) == ("current", "absent")
    shell = f"{found['path']['line']}\nopencode"
    assert subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout == "second\n"

    assert run("rollback").returncode == 0
    assert started(root / name / "opencode") == "first"
    assert run("uninstall").returncode == 0
    assert entries(root / name) == []


def test_an_empty_bin_directory_is_not_the_current_one(command_line: CommandLine) -> None:
    make_build(open_store(command_line.store), "first")
    done = command_line("install", "--bin-dir", "")
    assert done.returncode == 2
    assert "Invalid value for '--bin-dir': The name is empty." in done.stderr
    assert not (command_line.root / "opencode").exists()
    assert command_line("install", "--bin-dir", ".").returncode == 0
    assert started(command_line.root / "opencode") == "first"


@pytest.mark.parametrize("kind", ["file", "below a file", "dangling link", "link in a circle"])
def test_a_bin_directory_that_cannot_be_one(command_line: CommandLine, kind: str) -> None:
    make_build(open_store(command_line.store), "first")
    place = command_line.root / "bin"
    if kind in ("file", "below a file"):
        place.write_text("mine")
    else:
        place.symlink_to(place if kind == "link in a circle" else command_line.root / "nowhere")
    wanted = place / "deeper" if kind == "below a file" else place
    before = (place.lstat().st_ino, place.lstat().st_mtime_ns)
    done = command_line("install", "--bin-dir", wanted)
    assert done.returncode == 8, done.stderr
    assert done.stderr.startswith(f"Error: Nothing can be installed in {wanted}.\n  {place} is a ")
    assert "--bin-dir" in done.stderr
    assert (place.lstat().st_ino, place.lstat().st_mtime_ns) == before


def test_a_bin_directory_that_is_a_link_to_elsewhere_is_used_as_it_is(command_line: CommandLine) -> None:
    make_build(open_store(command_line.store), "first")
    elsewhere, link = command_line.root / "elsewhere", command_line.root / "bin"
    elsewhere.mkdir()
    link.symlink_to(elsewhere)
    assert command_line("install", "--bin-dir", link).returncode == 0
    assert started(elsewhere / "opencode") == "first"
    assert json.loads(command_line("status", "--json").stdout)["place"] == str(link / "opencode")
    assert command_line("uninstall").returncode == 0
    assert (link.is_symlink(), entries(elsewhere)) == (True, [])


def test_without_a_home(command_line: CommandLine, registry_access: None, monkeypatch: pytest.MonkeyPatch) -> None:
    make_build(open_store(command_line.store), "first")
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("USERPROFILE")
    # Else the home of the one who runs the tests would be searched, which the system knows.
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "OPENCODE_TEST_HOME"):
        monkeypatch.setenv(name, str(command_line.root / "none"))
    done = command_line("install")
    assert done.returncode == 2
    assert "Neither HOME nor XDG_BIN_HOME names a directory." in done.stderr
    assert "opencode-patcher install --bin-dir DIR" in done.stderr
    assert command_line("install", "--bin-dir", "bin").returncode == 0
    assert json.loads(command_line("status", "--json").stdout)["state"] in ("current", "older")
    for command in ("list", "config", "uninstall"):
        assert command_line(command, "--json").returncode == 0, command


@pytest.mark.parametrize("home", ["", "relative", "~nobody-of-that-name/x"])
def test_a_store_whose_place_is_unknown(command_line: CommandLine, home: str) -> None:
    environment = {**command_line.environment(), "OPENCODE_PATCHER_HOME": home}
    done = subprocess.run(
        command_line.argv("list"), env=environment, cwd=command_line.root, capture_output=True, text=True, check=False
    )
    if home.startswith("~"):
        assert done.returncode == 9
        assert "OPENCODE_PATCHER_HOME" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (command_line.root / "~").exists()


@pytest.mark.parametrize(
    "command", [["list"], ["install"], ["status"], ["rollback"], ["uninstall"], ["prune"], ["models", "groups"]]
)
def test_a_store_of_a_newer_version_is_refused_and_not_touched(command_line: CommandLine, command: list[str]) -> None:
    store = open_store(command_line.store)
    make_build(store, "first")
    (store.root / ".opencode-patcher-store").write_text('{"format": 2}\n')
    before = sorted((path, path.stat().st_mtime_ns) for path in store.root.rglob("*"))
    done = command_line(*command)
    assert done.returncode == 9
    assert "Its format is 2; this version writes format 1." in done.stderr
    assert "Update opencode-patcher" in done.stderr
    assert sorted((path, path.stat().st_mtime_ns) for path in store.root.rglob("*")) == before


@pytest.fixture
def unprivileged(command_line: CommandLine) -> CommandLine:
    """The command line without the right to pass over permissions."""
    if os.geteuid() == 0:
        if shutil.which(UNPRIVILEGED[0]) is None:
            pytest.skip("needs setpriv of util-linux")
        command_line.prefix = UNPRIVILEGED
    return command_line


@pytest.mark.parametrize("closed", ["bin", "bin/..", "store/installed", "store/installed/BUILD"])
def test_a_directory_without_permission(unprivileged: CommandLine, closed: str) -> None:
    store = open_store(unprivileged.store)
    first, second = make_build(store, "first", at=1), make_build(store, "second", at=2)
    bin_dir = unprivileged.root / "bins" / "bin"
    assert unprivileged("install", first.directory.name, "--bin-dir", bin_dir).returncode == 0
    place = store.installed / second.directory.name
    place.mkdir()
    directory = {
        "bin": bin_dir,
        "bin/..": bin_dir.parent,
        "store/installed": store.installed,
        "store/installed/BUILD": place,
    }[closed]
    directory.chmod(0o500)
    done = unprivileged("install", second.directory.name)
    assert started(bin_dir / "opencode") == ("second" if closed == "bin/.." else "first")
    if closed != "bin/..":
        assert done.returncode in (8, 9)
        assert "may not write" in done.stderr or "Permission denied" in done.stderr
    directory.chmod(0o700)
    assert unprivileged("install", second.directory.name).returncode == 0
    assert started(bin_dir / "opencode") == "second"


def test_a_closed_directory_on_path(unprivileged: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    make_build(open_store(unprivileged.store), "first")
    closed, bin_dir = unprivileged.root / "closed", unprivileged.root / "bin"
    closed.mkdir(mode=0)
    monkeypatch.setenv("PATH", os.pathsep.join([str(closed), str(bin_dir), os.environ["PATH"], ""]))
    done = unprivileged("install", "--bin-dir", bin_dir)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Start it: opencode"), done.stderr
    assert json.loads(unprivileged("status", "--json").stdout)["path"]["status"] == "first"


@pytest.mark.parametrize("what", ["directory", "link into it"])
def test_a_bin_directory_behind_a_closed_one(unprivileged: CommandLine, what: str) -> None:
    make_build(open_store(unprivileged.store), "first")
    closed, bin_dir = unprivileged.root / "closed", unprivileged.root / "bin"
    closed.mkdir(mode=0)
    bin_dir.mkdir()
    if what == "directory":
        done = unprivileged("install", "--bin-dir", closed / "bin")
        assert f"You may not write to {closed}." in done.stderr
    else:
        (bin_dir / "opencode").symlink_to(closed / "opencode")
        done = unprivileged("install", "--bin-dir", bin_dir)
        assert "is not from opencode-patcher" in done.stderr
    assert done.returncode == 8


def test_closed_directories_of_opencode(unprivileged: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    home = unprivileged.root / "home"
    for name in (".config/opencode", ".cache/opencode"):
        (home / name).mkdir(parents=True)
        (home / name).chmod(0)
    # Nothing listens there, so that nothing is fetched.
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    done = unprivileged("doctor", "--source", unprivileged.root / "none")
    assert done.returncode == 1, done.stderr
    assert f"{home}/.config/opencode/opencode.json: It cannot be read: Permission denied." in done.stdout
    done = unprivileged("config", "--json")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["file"] == f"{home}/.config/opencode/combined.json"


@pytest.mark.skipif(sys.platform != "linux", reason="a file system that takes any bytes")
def test_names_that_are_not_utf_8(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    odd, plain = command_line.root / os.fsdecode(b"caf\xe9"), command_line.root / "bin"
    store = open_store(command_line.store)
    first, second = make_build(store, "first", at=1), make_build(store, "second", at=2)
    done = command_line("install", "--bin-dir", odd)
    assert done.returncode == 2
    assert "Its name is not UTF-8" in done.stderr
    assert json.loads(command_line("install", "--json", "--bin-dir", odd).stdout)["error"]["exit_code"] == 2
    assert not odd.exists()

    # There is another program in such a directory.
    program(odd / "opencode", "theirs")
    monkeypatch.setenv("PATH", os.pathsep.join([str(odd), os.environ["PATH"]]))
    assert command_line("install", first.directory.name, "--bin-dir", plain).returncode == 0
    assert command_line("install", second.directory.name).returncode == 0
    (other,) = json.loads(command_line("status", "--json").stdout)["path"]["before"]
    assert Path(other["path"]) == odd / "opencode"

    # An older install.sh accepted such a place.
    state = store.installed / "state.json"
    state.write_bytes(state.read_bytes().replace(os.fsencode(plain), os.fsencode(odd)))
    (odd / "opencode").unlink()
    (plain / "opencode").rename(odd / "opencode")
    assert json.loads(command_line("status", "--json").stdout)["build"] == second.directory.name
    for words in (["status"], ["list"], ["prune", "-n"]):
        assert command_line(*words).returncode in (0, 1), words
    assert command_line("rollback").returncode == 0
    assert started(odd / "opencode") == "first"
    assert command_line("uninstall").returncode == 0
    assert entries(odd) == []


ISOLATE = ("unshare", "--map-root-user", "--mount", "sh", "-c")
"""A shell with private mounts, which disappear when it ends."""


@pytest.fixture
def can_mount(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("mount")
    tried = shutil.which(ISOLATE[0]) and subprocess.run(
        [*ISOLATE, 'mount -t tmpfs tmpfs "$0"', place], capture_output=True, check=False
    )
    if not tried or tried.returncode != 0:
        pytest.skip("needs unshare of util-linux and the right to mount a tmpfs")


@pytest.mark.usefixtures("can_mount")
@pytest.mark.parametrize("full", ["bin", "installed"])
def test_a_full_disk(command_line: CommandLine, full: str) -> None:
    """The bin directory, or the store's own copies, on a disk without a free byte or file."""
    store = open_store(command_line.store)
    first, second = make_build(store, "first", at=1), make_build(store, "second", at=2)
    bin_dir = command_line.root / "bin"
    disk = bin_dir if full == "bin" else store.installed
    disk.mkdir()
    opencode = shlex.quote(str(bin_dir / "opencode"))

    def install(name: str) -> str:
        return f"{shlex.join(command_line.argv('install', '-q', name, '--bin-dir', bin_dir))}; echo code $?; {opencode}"

    # No room for the new link or file: the disk is filled up after the first install.
    script = f"""
        mount -t tmpfs -o size=64k,nr_inodes=40 tmpfs {shlex.quote(str(disk))}
        {install(first.directory.name)}
        cd {shlex.quote(str(disk))}; i=0; while touch fill-$i; do i=$((i+1)); done 2>/dev/null
        {install(second.directory.name)}
        rm fill-*; cd /
        {install(second.directory.name)}
    """
    done = subprocess.run(
        [*ISOLATE, script], env=command_line.environment(), capture_output=True, text=True, check=False
    )
    said = [line for line in done.stdout.splitlines() if line.startswith("code") or line in ("first", "second")]
    assert [said[0], said[1], said[3], said[4], said[5]] == ["code 0", "first", "first", "code 0", "second"], (
        done.stderr
    )
    assert said[2] in ("code 8", "code 9")
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("can_mount")
def test_uninstall_on_a_full_disk(command_line: CommandLine) -> None:
    """Program and store on a disk without a free byte."""
    made = make_build(open_store(command_line.root / "made"), "first")
    disk = command_line.root / "disk"
    disk.mkdir()
    command_line.store = disk / "store"
    at = shlex.quote(str(disk))
    uninstall = shlex.join(command_line.argv("uninstall"))
    script = f"""
        mount -t tmpfs -o size=256k tmpfs {at}
        cp -r {shlex.quote(str(command_line.root / "made"))} {at}/store
        {shlex.join(command_line.argv("install", "-q", made.directory.name, "--bin-dir", disk / "bin"))}; echo code $?
        cat /dev/zero > {at}/fill 2>/dev/null
        {uninstall}; echo code $?
        ls {at}/bin {at}/store/installed
        {uninstall}; echo code $?
    """
    done = subprocess.run(
        [*ISOLATE, script], env=command_line.environment(), capture_output=True, text=True, check=False
    )
    assert [line for line in done.stdout.splitlines() if line.startswith("code")] == ["code 0", "code 0", "code 8"], (
        done.stderr
    )
    assert done.stdout.count("opencode is removed.") == 1
    assert done.stdout.split("code 0\n")[2].split() == [f"{disk}/bin:", f"{disk}/store/installed:", "code", "8"]
    assert done.stderr.startswith("Error: Nothing is installed.")


@pytest.mark.parametrize(
    "command",
    [["doctor"], ["config"], ["rollback"], ["uninstall"], ["install", "--bin-dir", "here"], ["list"]],
    ids=lambda words: words[0],
)
def test_a_current_directory_that_was_deleted(command_line: CommandLine, command: list[str]) -> None:
    (command_line.root / "models.json").write_text("{}")
    if command == ["list"]:
        command_line.store = Path("store")
    else:
        make_build(open_store(command_line.store), "first")
    gone = command_line.root / "gone"
    gone.mkdir()
    script = f"cd {shlex.quote(str(gone))} && rmdir ../gone && exec {shlex.join(command_line.argv(*command))}"
    environment = {**command_line.environment(), "OPENCODE_MODELS_PATH": str(command_line.root / "models.json")}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "Error: The current directory no longer exists.\n  Change to another one: cd\n",
    )
