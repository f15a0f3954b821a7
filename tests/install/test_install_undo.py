"""Rollback, uninstall and prune: the way back, and what stays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base.errors import InstallError, StoreError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.install import activate, builds, prune, state
from opencode_patcher.install.builds import Build, DrillResult
from opencode_patcher.install.rollback import history_before, rollback
from opencode_patcher.install.state import Activation, InstallState
from opencode_patcher.install.systems.posix import Posix
from opencode_patcher.install.uninstall import uninstall
from tests.install.install_samples import PASSED, entries, make_build, program, started

QUIET = SilentReporter()


@pytest.fixture
def bin_dir(tmp_path: Path) -> Path:
    return tmp_path / "bin"


def install(store: Store, bin_dir: Path, *made: Build) -> Path:
    for build in made:
        done = activate.install(store, Posix(), build, {}, QUIET, bin_dir=bin_dir, replace_other=True)
    return done.place


def three(store: Store) -> tuple[Build, Build, Build]:
    return make_build(store, "first", at=1), make_build(store, "second", at=2), make_build(store, "third", at=3)


def test_rollback_goes_back_step_by_step(store: Store, bin_dir: Path) -> None:
    place = install(store, bin_dir, *three(store))
    assert rollback(store, Posix(), QUIET).previous is not None
    assert started(place) == "second"
    rollback(store, Posix(), QUIET)
    assert started(place) == "first"
    with pytest.raises(InstallError, match="There is no earlier build"):
        rollback(store, Posix(), QUIET)
    assert started(place) == "first"


def test_rollback_says_how_to_undo_it(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = make_build(open_store(), "first", at=1), make_build(open_store(), "second", drill=None, at=2)
    assert run(["install", "--quiet", first.directory.name]) == 0
    assert run(["install", "--quiet", second.directory.name, "--unverified"]) == 0
    assert run(["install", "--quiet", first.directory.name]) == 0
    capsys.readouterr()
    assert run(["rollback"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("To undo this: "))
    assert line == f"To undo this: opencode-patcher install {first.directory.name}"
    assert run(["rollback"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("To undo this: "))
    assert line == f"To undo this: opencode-patcher install {second.directory.name} --unverified"
    assert run(line.removeprefix("To undo this: opencode-patcher ").split()) == 0


def test_rollback_skips_a_damaged_build(store: Store, bin_dir: Path) -> None:
    _, second, _ = made = three(store)
    place = install(store, bin_dir, *made)
    (store.installed / second.directory.name / "opencode").unlink()
    rollback(store, Posix(), QUIET)
    assert started(place) == "first"


def test_rollback_leaves_a_foreign_program_alone(store: Store, bin_dir: Path) -> None:
    place = install(store, bin_dir, *three(store))
    place.unlink()
    program(place, "stock")
    with pytest.raises(InstallError, match="is not from opencode-patcher"):
        rollback(store, Posix(), QUIET)
    assert started(place) == "stock"


def test_rollback_and_uninstall_without_an_install(store: Store) -> None:
    with pytest.raises(InstallError, match="Nothing is installed"):
        rollback(store, Posix(), QUIET)
    with pytest.raises(InstallError, match="Nothing is installed"):
        uninstall(store, Posix(), QUIET)


@pytest.mark.parametrize(
    ("history", "usable", "expected"),
    [("", "ab", ""), ("a", "a", ""), ("ab", "ab", "a"), ("aba", "ab", "ab"), ("abab", "b", ""), ("abc", "ac", "a")],
)
def test_where_rollback_goes(history: str, usable: str, expected: str) -> None:
    before = history_before(tuple(Activation(build=build, at=None) for build in history), usable.__contains__)
    assert "".join(entry.build for entry in before) == expected


def test_uninstall_without_anything_before(store: Store, bin_dir: Path) -> None:
    build = make_build(store, "first")
    install(store, bin_dir, build)
    done = uninstall(store, Posix(), QUIET)
    assert (done.restored, done.untouched) == (None, False)
    assert entries(bin_dir) == []
    assert build.binary.is_file()
    assert state.read(store) == InstallState()
    assert started(install(store, bin_dir, build)) == "first"


def test_uninstall_restores_the_previous_program(store: Store, bin_dir: Path) -> None:
    place = program(bin_dir / "opencode", "theirs")
    before = place.read_bytes(), place.stat().st_mtime_ns, place.stat().st_mode
    install(store, bin_dir, *three(store))
    uninstall(store, Posix(), QUIET)
    assert (place.read_bytes(), place.stat().st_mtime_ns, place.stat().st_mode) == before
    assert entries(bin_dir) == ["opencode"]


def test_uninstall_leaves_a_program_that_replaced_ours(store: Store, bin_dir: Path) -> None:
    program(bin_dir / "opencode", "theirs")
    place = install(store, bin_dir, make_build(store, "first"))
    place.unlink()
    program(place, "stock")
    done = uninstall(store, Posix(), QUIET)
    assert done.untouched
    assert started(place) == "stock"
    assert [started(path) for path in done.left] == ["theirs"]


def test_uninstall_shows_what_a_stock_program_refuses(capsys: pytest.CaptureFixture[str], isolated: Path) -> None:
    config = isolated / ".config" / "opencode" / "opencode.jsonc"
    config.parent.mkdir(parents=True)
    config.write_text('{\n  "theme": "system",\n  "provider_priority": ["a", "b"], // cheap first\n}\n')
    before = config.read_bytes()
    make_build(open_store(), "first")
    assert run(["install", "--quiet"]) == 0
    assert run(["uninstall"]) == 0
    text = capsys.readouterr().out
    assert str(config) in text
    assert '3 |   "provider_priority": ["a", "b"]\n' in text
    assert "theme" not in text
    assert config.read_bytes() == before


@pytest.mark.parametrize("words", [["uninstall"], ["uninstall", "--json"], ["rollback"], ["rollback", "--json"]])
def test_no_key_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, isolated: Path, words: list[str]
) -> None:
    text = '{"provider":{"a":{"options":{"apiKey":"sk-or-SECRET"}}},"provider_priority":["a"]}'
    (isolated / ".opencode").mkdir()
    (isolated / ".opencode" / "opencode.json").write_text(text)
    monkeypatch.setenv("OPENCODE_CONFIG_CONTENT", text)
    for build in three(open_store()):
        assert run(["install", "--quiet", build.directory.name]) == 0
    capsys.readouterr()
    assert run(words) == 0
    out = capsys.readouterr().out
    assert out.count("provider_priority") == 2
    assert "SECRET" not in out


def test_rollback_shows_what_a_stock_program_refuses(capsys: pytest.CaptureFixture[str], isolated: Path) -> None:
    config = isolated / ".opencode" / "opencode.json"
    config.parent.mkdir(parents=True)
    config.write_text('{\n  "combined": {\n    "stickiness": 0\n  }\n}\n')
    first, second, _ = three(open_store())
    for build in (first, second):
        assert run(["install", "--quiet", build.directory.name]) == 0
    capsys.readouterr()
    assert run(["rollback"]) == 0
    text = capsys.readouterr().out
    assert f"build {first.directory.name}" in text
    assert f'{config}\n      2 |   "combined": {{\n      3 |     "stickiness": 0\n      4 |   }}' in text


def test_prune_keeps_the_active_the_previous_and_the_newest(store: Store, bin_dir: Path) -> None:
    first, second, third = three(store)
    newest = make_build(store, "newest", at=4)
    place = install(store, bin_dir, first, second, third)
    names = {build.directory.name for build in (second, third, newest)}
    planned = prune.prune(store, Posix(), QUIET, dry_run=True)
    assert first.binary.is_file()
    done = prune.prune(store, Posix(), QUIET)
    assert done == planned
    assert done.names == (first.directory.name,)
    assert done.size >= first.size
    assert {path.name for path in store.builds.iterdir()} == names
    assert started(place) == "third"
    rollback(store, Posix(), QUIET)
    assert started(place) == "second"


def test_prune_keeps_nothing_to_roll_back_to_when_told_so(store: Store, bin_dir: Path) -> None:
    _, _, third = made = three(store)
    place = install(store, bin_dir, *made)
    prune.prune(store, Posix(), QUIET, keep=0)
    assert [path.name for path in store.builds.iterdir()] == [third.directory.name]
    assert started(place) == "third"


def test_prune_keeps_the_newest_build_that_is_verified(store: Store) -> None:
    old, verified = make_build(store, "old", "1.18.2", at=1), make_build(store, "verified", at=2)
    failed = DrillResult(passed=(), failed=("cut",), failover_ms=None)
    newest = make_build(store, "newest", "1.18.4", drill=failed, at=3)
    assert prune.prune(store, Posix(), QUIET, keep=0).names == (old.directory.name,)
    assert {path.name for path in store.builds.iterdir()} == {verified.directory.name, newest.directory.name}


def test_a_damaged_build_does_not_stop_prune(capsys: pytest.CaptureFixture[str], isolated: Path) -> None:
    store = open_store()
    damaged, old, new = three(store)
    for build in (damaged, old, new):
        assert run(["install", "--quiet", build.directory.name]) == 0
    (damaged.directory / builds.MANIFEST).write_text("{")
    capsys.readouterr()
    for words in (["list"], ["status"], ["prune", "--keep", "0", "-n"], ["install"], ["prune", "--keep", "0"]):
        run([*words, "--json"])
        said = capsys.readouterr()
        assert said.err.startswith(f"Warning: {damaged.directory / builds.MANIFEST} is damaged.\n")
        assert said.err.endswith(f"\n  Delete {damaged.directory} and build again: opencode-patcher build\n")
        assert "error" not in json.loads(said.out)
    assert json.loads(said.out)["deleted"] == [old.directory.name]
    assert entries(store.installed) == sorted([damaged.directory.name, new.directory.name, "state.json"])
    assert started(isolated / ".local" / "bin" / "opencode") == "third"


def test_prune_does_not_count_deleted_builds(store: Store, bin_dir: Path) -> None:
    first, second, third = three(store)
    install(store, bin_dir, first, second, third)
    for directory in (second.directory, store.installed / second.directory.name):
        shutil.rmtree(directory)
    assert prune.prune(store, Posix(), QUIET, dry_run=True).names == ()
    assert prune.prune(store, Posix(), QUIET, keep=0).names == (first.directory.name,)


@pytest.mark.parametrize(
    ("stored", "history", "keep", "stays"),
    [
        pytest.param("Cba", "", 0, "C", id="the newest"),
        pytest.param("cBA", "", 0, "cB", id="the newest verified one, too"),
        pytest.param("cba", "", 1, "cb", id="none verified, never installed"),
        pytest.param("eDCba", "", 1, "eDC", id="never installed"),
        pytest.param("edCbA", "", 1, "eCA", id="verified ones first"),
        pytest.param("EDCBA", "", 9, "EDCBA", id="all of them"),
        pytest.param("EDCBA", "ABC", 1, "ECB", id="the one to roll back to"),
        pytest.param("EDCBA", "ABC", 3, "ECBAD", id="more than a rollback comes to"),
        pytest.param("CBA", "AB", 0, "CB", id="only what is in use"),
        pytest.param("CBA", "ACA", 1, "CAB", id="the newest is the one before"),
    ],
)
def test_what_prune_keeps(store: Store, stored: str, history: str, keep: int, stays: str) -> None:
    """A letter is a build, a capital one a verified build; ``stored`` starts with the newest."""
    made = {
        letter: make_build(store, letter, drill=PASSED if letter.isupper() else None, at=len(stored) - index)
        for index, letter in enumerate(stored)
    }
    past = tuple(Activation(build=made[letter].directory.name, at=None) for letter in history)
    names = {build.directory.name: letter for letter, build in made.items()}
    found = prune.kept(builds.list_builds(store), past, keep)
    assert {names[name] for name in found} == set(stays)


def test_the_commands_print_json(capsys: pytest.CaptureFixture[str]) -> None:
    names = [build.directory.name for build in three(open_store())]
    assert run(["install", names[0]]) == 0
    assert run(["install", names[1]]) == 0
    capsys.readouterr()
    assert run(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["builds"]
    assert [(entry["build"], entry["installed"]) for entry in listed] == [
        (names[2], False),
        (names[1], True),
        (names[0], False),
    ]
    assert run(["rollback", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["build"] == names[0]
    assert run(["prune", "--json", "--keep", "0"]) == 0
    assert json.loads(capsys.readouterr().out)["deleted"] == [names[1]]
    assert run(["uninstall", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["restored"] is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 2}', '{"format": 1, "place": 5}', r'{"format": 1, "place": "\ud800"}']
)
def test_a_state_that_cannot_be_read_is_an_error_and_stays(store: Store, bin_dir: Path, text: str) -> None:
    build = make_build(store, "first")
    place = install(store, bin_dir, build)
    path = store.installed / "state.json"
    path.write_text(text)
    with pytest.raises(StoreError, match=r"state\.json cannot be read"):
        install(store, bin_dir, build)
    assert path.read_text() == text
    assert started(place) == "first"
