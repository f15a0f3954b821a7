"""Anything in place of a file that is read: the commands end, say what it is, and still work."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher import __main__
from opencode_patcher.base import errors
from opencode_patcher.base.store import MARKER, Store, open_store
from opencode_patcher.install import builds, records, state
from tests.install.install_samples import make_build

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes and devices"),
    pytest.mark.timeout(240),
]

Put = Callable[[Path], None]


def content(data: bytes) -> Put:
    def put(path: Path) -> None:
        path.write_bytes(data)

    return put


def link(target: str) -> Put:
    return lambda path: path.symlink_to(target)


DAMAGE: dict[str, Put] = {
    "empty": content(b""),
    "half": content(b'{"format": 1, '),
    "list": content(b"[1]"),
    "text": content(b'"x"'),
    "deep list": content(b"[" * 100_000),
    "deep object": content(b'{"format": 1, "a": ' + b'{"a": ' * 100_000),
    "wrong types": content(
        b'{"format": 1, "place": [], "aside": 1, "history": {}, "release": 1, "binary": [1], "built_at": {}}'
    ),
    "huge format": content(b'{"format": 1' + b"0" * 400 + b"}"),
    "number of 5,000 digits": content(b'{"format": ' + b"9" * 5_000 + b"}"),
    "NaN": content(b'{"format": NaN}'),
    "newer": content(b'{"format": 99}'),
    "not UTF-8": content(b'{"format": 1, "x": "\xff"}'),
    "12 MB": content(b'{"format": 1, "x": "' + b"x" * 12_000_000 + b'"}'),
    "20 MB": content(b" " * 20_000_000),
    "pipe": os.mkfifo if sys.platform != "win32" else content(b""),
    "directory": Path.mkdir,
    "link to a device": link("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path.name),
}


@pytest.fixture(params=list(DAMAGE))
def damage(request: pytest.FixtureRequest) -> Put:
    """Puts something else in the place of a file."""
    put = DAMAGE[request.param]

    def instead(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        put(path)

    return instead


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command line, checks that it met no bug, and returns what it printed."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")  # nobody listens there

    def go(*words: str | Path) -> str:
        code = __main__.run([str(word) for word in words])
        shown = capsys.readouterr()
        assert code != errors.UNEXPECTED, shown.err
        assert "Traceback" not in shown.out + shown.err
        return shown.out + shown.err

    return go


@pytest.fixture
def store() -> Store:
    """A store with two builds; the newer one is installed."""
    made = open_store()
    make_build(made, "older", at=1)
    make_build(made, "newer", at=2)
    return made


def test_a_bad_manifest_does_not_affect_other_builds(store: Store, run: Callable[..., str], damage: Put) -> None:
    newer, older = builds.list_builds(store)
    damage(newer.directory / builds.MANIFEST)

    shown = run("list")
    assert older.directory.name in shown
    assert str(newer.directory) in shown or newer.directory.name in shown
    run("list", "--json")
    run("prune", "--dry-run")
    run("install")
    assert older.directory.name in run("status")
    run("uninstall")


def test_a_bad_record_or_state_of_the_installation(store: Store, run: Callable[..., str], damage: Put) -> None:
    run("install")
    newer = builds.list_builds(store)[0]
    damage(store.installed / newer.directory.name / records.RECORD)
    for words in (
        ("status",),
        ("status", "--json"),
        ("rollback",),
        ("prune", "--dry-run"),
        ("uninstall",),
        ("install",),
    ):
        run(*words)
    damage_of_state = store.installed / state.FILE
    if damage_of_state.exists():
        damage_of_state.unlink()
    damage(damage_of_state)
    for words in (("status",), ("install",), ("rollback",), ("uninstall",), ("prune", "--dry-run")):
        run(*words)


def test_a_bad_marker_of_the_store(store: Store, run: Callable[..., str], damage: Put) -> None:
    damage(store.root / MARKER)

    for words in (("list",), ("status",), ("list", "--json")):
        run(*words)


def test_bad_files_of_opencode(run: Callable[..., str], damage: Put, tmp_path: Path) -> None:
    home = Path(os.environ["HOME"])
    catalogue = tmp_path / "catalogue.json"
    catalogue.write_text(json.dumps({"one": {"models": {"m": {"name": "M"}}}}))
    damage(Path("opencode.json"))
    damage(home / ".config" / "opencode" / "opencode.jsonc")
    damage(home / ".local" / "share" / "opencode" / "auth.json")
    damage(home / ".local" / "share" / "opencode" / "combined-attempts.jsonl")
    damage(home / ".npmrc")

    for words in (("config",), ("config", "--check"), ("config", "--json")):
        run(*words, "--catalog", catalogue)
    run("models", "groups", "--catalog", catalogue, "--config", "opencode.json")
    run("attempts")
    run("attempts", "--json")
    run("doctor", "--source", "/nowhere")


def test_bad_files_that_are_named(run: Callable[..., str], damage: Put, tmp_path: Path) -> None:
    named = tmp_path / "named"
    damage(named)
    (tmp_path / "release").mkdir()
    damage(tmp_path / "release" / "manifest.json")
    (tmp_path / "release" / "SHA256SUMS").write_text("")

    run("models", "keys", "--catalog", named)
    run("attempts", "--file", named)
    run("compare", named, named)
    run("verify", "--binary", named, "--quick")
    assert "Error: " in run("reproduce", tmp_path / "release")
    damage(tmp_path / "release" / "SHA256SUMS")
    assert "Error: " in run("reproduce", tmp_path / "release")
