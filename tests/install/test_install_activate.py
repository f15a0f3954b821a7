"""``install`` on real files and links: what starts afterwards, and what was never touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base.errors import InstallError, PatcherError, UsageError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.install import activate, builds, state
from opencode_patcher.install.activate import Installed
from opencode_patcher.install.builds import DrillResult
from opencode_patcher.install.systems.posix import Posix
from tests.install.install_samples import entries, make_build, program, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts as programs")


def install(
    store: Store, build: builds.Build, bin_dir: Path | None = None, *, replace_other: bool = False
) -> Installed:
    return activate.install(
        store,
        Posix(),
        build,
        {"HOME": os.environ["HOME"]},
        SilentReporter(),
        bin_dir=bin_dir,
        replace_other=replace_other,
    )


@pytest.fixture
def bin_dir(tmp_path: Path) -> Path:
    return tmp_path / "bin"


def test_the_first_install_makes_the_bin_directory_and_a_link(store: Store) -> None:
    done = install(store, make_build(store, "first"))
    assert done.place == Path.home() / ".local" / "bin" / "opencode"
    assert done.place.is_symlink()
    assert started(done.place) == "first"
    assert entries(done.place.parent) == ["opencode"]
    assert done.previous is None


def test_the_program_outlives_its_build_directory(store: Store, bin_dir: Path) -> None:
    build = make_build(store, "first")
    done = install(store, build, bin_dir)
    build.binary.unlink()
    assert started(done.place) == "first"


def test_another_build_replaces_it_and_the_history_has_both(store: Store, bin_dir: Path) -> None:
    first, second = make_build(store, "first"), make_build(store, "second")
    install(store, first, bin_dir)
    done = install(store, second)
    assert done.place == bin_dir / "opencode"
    assert started(done.place) == "second"
    assert done.previous == first.directory.name
    assert [entry.build for entry in state.read(store).history] == [first.directory.name, second.directory.name]


def test_installing_twice_changes_nothing(store: Store, bin_dir: Path) -> None:
    build = make_build(store, "first")
    install(store, build, bin_dir)
    before = (state.read(store), entries(bin_dir), entries(store.installed))
    done = install(store, build, bin_dir)
    assert (state.read(store), entries(bin_dir), entries(store.installed)) == before
    assert done.previous == build.directory.name


def test_a_foreign_file_is_refused_and_stays(store: Store, bin_dir: Path) -> None:
    place = program(bin_dir / "opencode", "theirs")
    with pytest.raises(InstallError, match=r"keep it as opencode\.before-opencode-patcher"):
        install(store, make_build(store, "first"), bin_dir)
    assert started(place) == "theirs"
    assert not (store.installed / "state.json").exists()


def test_replace_keeps_the_old_file_under_another_name(store: Store, bin_dir: Path) -> None:
    place = program(bin_dir / "opencode", "theirs")
    done = install(store, make_build(store, "first"), bin_dir, replace_other=True)
    assert started(place) == "first"
    assert done.moved_to == bin_dir / "opencode.before-opencode-patcher"
    assert started(done.moved_to) == "theirs"


def test_a_second_foreign_program_gets_another_name(store: Store, bin_dir: Path) -> None:
    build = make_build(store, "first")
    for name in ("theirs", "updated"):
        (bin_dir / "opencode").unlink(missing_ok=True)
        program(bin_dir / "opencode", name)
        install(store, build, bin_dir, replace_other=True)
    assert started(bin_dir / "opencode") == "first"
    assert started(bin_dir / "opencode.before-opencode-patcher") == "theirs"
    assert started(bin_dir / "opencode.before-opencode-patcher-2") == "updated"


def test_a_foreign_link_is_kept_as_a_link(store: Store, bin_dir: Path, tmp_path: Path) -> None:
    program(tmp_path / "npm" / "opencode", "theirs")
    bin_dir.mkdir()
    (bin_dir / "opencode").symlink_to("../npm/opencode")
    done = install(store, make_build(store, "first"), bin_dir, replace_other=True)
    assert done.moved_to is not None
    assert str(done.moved_to.readlink()) == "../npm/opencode"
    assert started(tmp_path / "npm" / "opencode") == "theirs"


def test_a_program_of_another_store_is_foreign(store: Store, bin_dir: Path, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other")
    install(other, make_build(other, "theirs"), bin_dir)
    with pytest.raises(InstallError, match="is not from opencode-patcher"):
        install(store, make_build(store, "first"), bin_dir)
    assert started(bin_dir / "opencode") == "theirs"


def test_a_directory_is_never_moved(store: Store, bin_dir: Path) -> None:
    (bin_dir / "opencode").mkdir(parents=True)
    with pytest.raises(InstallError, match="is a directory"):
        install(store, make_build(store, "first"), bin_dir, replace_other=True)
    assert (bin_dir / "opencode").is_dir()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        pytest.param("exit 3", "does not start", id="fails"),
        pytest.param("echo 9.9.9; exit 0", "says it is version 9.9.9, not 1.18.4", id="other version"),
        pytest.param("exit 0", r"says it is version \(nothing\)", id="says nothing"),
    ],
)
def test_a_program_that_does_not_start_is_not_activated(store: Store, bin_dir: Path, body: str, complaint: str) -> None:
    install(store, make_build(store, "first"), bin_dir)
    with pytest.raises(InstallError, match=complaint):
        install(store, make_build(store, "broken", "1.18.4", body=body), bin_dir)
    assert started(bin_dir / "opencode") == "first"


def test_a_program_for_another_machine_is_named(store: Store, bin_dir: Path) -> None:
    build = make_build(store, "first")
    foreign = builds.keep(store, build.ingredients, _written(store.root / "opencode", b"\x7fELF nonsense"), "0.1.0")
    with pytest.raises(InstallError, match=r"does not start \(it was built for linux-x64\)"):
        install(store, foreign, bin_dir)
    assert not bin_dir.exists()


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_changed_binary_is_refused(store: Store, bin_dir: Path) -> None:
    build = make_build(store, "first")
    program(build.binary, "tampered")
    with pytest.raises(InstallError, match="has changed since it was built") as caught:
        install(store, build, bin_dir)
    assert "opencode-patcher build v1.18.3" in caught.value.next_step
    assert not bin_dir.exists()


def test_a_damaged_installed_file_is_repaired(store: Store, bin_dir: Path) -> None:
    build = make_build(store, "first")
    done = install(store, build, bin_dir)
    done.record.file.unlink()
    program(done.record.file, "tampered")
    install(store, build)
    assert started(done.place) == "first"


@pytest.mark.parametrize("inside", [".", "installed", "installed/BUILD", "bin", "link"])
def test_a_bin_directory_in_the_store_is_refused(store: Store, tmp_path: Path, bin_dir: Path, inside: str) -> None:
    build = make_build(store, "first")
    install(store, build, bin_dir)
    (bin_dir / "opencode").unlink()
    (tmp_path / "link").symlink_to(store.installed)
    wanted = store.root / inside.replace("BUILD", build.directory.name) if inside != "link" else tmp_path / "link"
    before = sorted(store.root.rglob("*"))
    with pytest.raises(UsageError, match="It is in the store"):
        install(store, build, wanted)
    assert sorted(store.root.rglob("*")) == before
    assert started(store.installed / build.directory.name / "opencode") == "first"


@pytest.mark.parametrize("part", [".local/bin", ".opencode/bin"])
def test_a_store_that_upstreams_updater_would_overwrite_is_refused(tmp_path: Path, part: str) -> None:
    store = open_store(tmp_path / part / "store")
    with pytest.raises(InstallError, match="would be overwritten by OpenCode's own updater"):
        install(store, make_build(store, "first"), tmp_path / "bin")
    assert not (tmp_path / "bin").exists()


def test_the_program_does_not_report_the_bin_directory_as_its_place(store: Store) -> None:
    done = install(store, make_build(store, "first"))
    assert ".local/bin" in str(done.place)
    assert ".local/bin" not in str(done.place.resolve())


@pytest.mark.parametrize("name", ["with space", "with 'quotes\"", "mit ümläut", "new\nline", "-dash", "$HOME"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    store = open_store(tmp_path / name / "store")
    done = install(store, make_build(store, "first"), tmp_path / name / "bin")
    assert started(done.place) == "first"


def test_a_bin_directory_may_be_a_link(store: Store, tmp_path: Path, bin_dir: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    bin_dir.symlink_to("elsewhere")
    install(store, make_build(store, "first"), bin_dir)
    assert started(tmp_path / "elsewhere" / "opencode") == "first"
    assert bin_dir.is_symlink()


def test_a_bin_directory_that_is_a_file_or_a_dangling_link(store: Store, tmp_path: Path) -> None:
    build = make_build(store, "first")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(InstallError, match="is a file"):
        install(store, build, tmp_path / "file")
    with pytest.raises(InstallError, match="is a link to nowhere, which does not exist"):
        install(store, build, tmp_path / "dangling" / "bin")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a directory that nobody can write")
def test_a_bin_directory_that_cannot_be_made(store: Store) -> None:
    with pytest.raises(InstallError, match=r"Nothing can be installed|cannot be changed"):
        install(store, make_build(store, "first"), Path("/proc/opencode-patcher-test/bin"))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_bin_directory_without_permission(store: Store, bin_dir: Path) -> None:
    bin_dir.mkdir(mode=0o555)
    with pytest.raises(InstallError, match="You may not write to"):
        install(store, make_build(store, "first"), bin_dir)
    assert entries(bin_dir) == []


def test_a_switch_that_fails_leaves_what_was_there(store: Store, bin_dir: Path) -> None:
    first, second = make_build(store, "first"), make_build(store, "second")
    install(store, first, bin_dir)
    in_the_way = bin_dir / ".opencode.opencode-patcher-new"
    in_the_way.mkdir()
    with pytest.raises(InstallError, match="What was there before is still there"):
        install(store, second)
    assert started(bin_dir / "opencode") == "first"
    in_the_way.rmdir()
    install(store, second)
    assert started(bin_dir / "opencode") == "second"


def test_there_is_only_one_place_at_a_time(store: Store, bin_dir: Path, tmp_path: Path) -> None:
    build = make_build(store, "first")
    install(store, build, bin_dir)
    with pytest.raises(UsageError, match=r"is already installed in .*bin"):
        install(store, build, tmp_path / "other")
    (bin_dir / "opencode").unlink()
    assert started(install(store, build, tmp_path / "other").place) == "first"


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_other_users_reach_the_link_but_not_the_program(open_directory: Path) -> None:
    home = open_directory / "home"
    (home / "store").mkdir(parents=True)
    store = open_store(home / "store")
    home.chmod(0o700)
    build = make_build(store, "first")
    done = install(store, build, open_directory / "bin")
    assert done.closed == home
    home.chmod(0o711)
    assert install(store, build).closed is None
    home.chmod(0o700)
    (open_directory / "bin").chmod(0o700)
    assert install(store, build).closed is None, "nobody else can reach the link either"


def test_the_command_line_says_who_cannot_start_it(
    open_directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_directory / "home"
    (home / "store").mkdir(parents=True)
    monkeypatch.setenv("OPENCODE_PATCHER_HOME", str(home / "store"))
    make_build(open_store(), "first")
    words = ["install", "--bin-dir", str(open_directory / "bin")]
    assert run(words) == 0
    assert "Other users" not in capsys.readouterr().out
    home.chmod(0o700)
    assert run(words) == 0
    assert f"they can enter {open_directory / 'bin'}, but not {home}, where" in capsys.readouterr().out
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["closed_to_others"] == str(home)


def test_two_simultaneous_installs_both_succeed(tmp_path: Path) -> None:
    store = open_store()
    names = [make_build(store, name, body="sleep 0.2").directory.name for name in ("first", "second")]
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "opencode_patcher", "install", name, "--bin-dir", tmp_path / "bin"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in names
    ]
    outputs = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert started(tmp_path / "bin" / "opencode") in ("first", "second")
    assert sorted(entry.build for entry in state.read(store).history) == sorted(names)


def test_choosing_a_build(store: Store) -> None:
    with pytest.raises(UsageError, match="There are no builds to install"):
        activate.choose_build((), None)
    old = make_build(store, "old", "1.18.2", at=1)
    new = make_build(store, "new", "1.18.3", at=2)
    found = builds.list_builds(store)
    assert activate.choose_build(found, None).directory == new.directory
    for wanted in ("1.18.2", "v1.18.2", old.directory.name, old.directory.name[:-4]):
        assert activate.choose_build(found, wanted).directory == old.directory
    with pytest.raises(UsageError, match=r"There is no build 1\.17\.0") as caught:
        activate.choose_build(found, "1.17.0")
    assert new.directory.name in caught.value.why


def test_a_version_does_not_match_a_longer_one(store: Store) -> None:
    first, longer = make_build(store, "first", "1.17.12", at=1), make_build(store, "longer", "1.17.120", at=2)
    found = builds.list_builds(store)
    for wanted in ("1.17.1", "v1.17.1", "1.17", "1", "", "-"):
        with pytest.raises(UsageError, match=f"There is no build {wanted}"):
            activate.choose_build(found, wanted)
    assert activate.choose_build(found, "1.17.12").directory == first.directory
    assert activate.choose_build(found, "1.17.120").directory == longer.directory
    assert activate.choose_build(found, "1.17.12-").directory == first.directory


def test_a_full_name_means_that_build(store: Store) -> None:
    built = make_build(store, "built", at=1)
    released = store.builds / f"{built.directory.name}-01234567"
    shutil.copytree(built.directory, released)
    (manifest := released / builds.MANIFEST).write_text(manifest.read_text().replace('"built_at": 1', '"built_at": 2'))
    found = builds.list_builds(store)
    assert [build.directory for build in found] == [released, built.directory]
    assert activate.choose_build(found, built.directory.name).directory == built.directory
    assert activate.choose_build(found, f"{built.directory.name}-").directory == released


@pytest.mark.parametrize(
    ("drill", "complaint"),
    [
        pytest.param(None, "The drill has not finished", id="not drilled"),
        pytest.param(
            DrillResult(passed=(), failed=("cut",), failover_ms=None), "It failed these scenarios: cut", id="failed"
        ),
    ],
)
def test_an_unverified_build_needs_the_option(store: Store, drill: DrillResult | None, complaint: str) -> None:
    build = make_build(store, "first", drill=drill)
    with pytest.raises(PatcherError, match="is not verified") as caught:
        activate.choose_build((build,), None)
    assert complaint in str(caught.value)
    assert activate.choose_build((build,), None, unverified=True) == build
