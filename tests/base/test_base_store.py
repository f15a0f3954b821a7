"""The store: ours alone, one run at a time, and never half written."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base import files
from opencode_patcher.base import store as storage
from opencode_patcher.base.errors import StoreError
from opencode_patcher.base.store import HOME_VARIABLE, MARKER, Store, open_store

Program = Callable[[str], list[str]]

not_root = pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_a_store_is_created_if_there_is_none(tmp_path: Path) -> None:
    made = open_store(tmp_path / "deep" / "store")

    assert open_store(made.root) == made
    assert json.loads((made.root / MARKER).read_text())["format"] == storage.FORMAT


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_a_store_is_private_unless_its_user_made_the_directory(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = open_store(tmp_path / "new").root
        (tmp_path / "shared").mkdir(0o755)
        shared = open_store(tmp_path / "shared").root
    finally:
        os.umask(old)

    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert stat.S_IMODE((made / MARKER).stat().st_mode) == 0o600
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755
    assert stat.S_IMODE((shared / MARKER).stat().st_mode) == 0o644


@not_root
def test_the_error_for_an_unwritable_place_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(0o555)

    with pytest.raises(StoreError, match="cannot be written") as caught:
        open_store(tmp_path / "locked" / "store")

    assert HOME_VARIABLE in caught.value.next_step


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "mine"))
    assert open_store().root == tmp_path / "mine"

    monkeypatch.delenv(HOME_VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert open_store().root.is_relative_to(tmp_path)


def test_an_empty_directory_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (open_store(tmp_path / "empty").root / MARKER).is_file()


def test_a_directory_with_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "cat.jpg").write_text("meow")

    with pytest.raises(StoreError) as caught:
        open_store(foreign)

    assert str(foreign) in caught.value.what
    assert HOME_VARIABLE in caught.value.next_step
    assert names(foreign) == {"cat.jpg"}


def test_a_file_cannot_be_a_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreError):
        open_store(tmp_path / "file")

    assert (tmp_path / "file").read_text() == "x"


def test_a_store_of_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    marker = store.root / MARKER
    marker.write_text(json.dumps({"format": 99, "new": True}))
    before = marker.read_bytes()

    with pytest.raises(StoreError, match="this version") as caught:
        open_store(store.root)

    assert "format is 99" in caught.value.why
    assert "Update" in caught.value.next_step
    assert marker.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": "1"}', b"[" * 100_000])
def test_a_damaged_marker_is_reported_as_damaged(store: Store, content: bytes) -> None:
    (store.root / MARKER).write_bytes(content)

    with pytest.raises(StoreError, match="cannot be used") as caught:
        open_store(store.root)

    assert "damaged" in caught.value.why


def test_a_store_is_usable_after_its_making_was_killed(tmp_path: Path) -> None:
    root = tmp_path / "store"
    root.mkdir()
    (root / f".{MARKER}.abcdefgh.tmp").write_text("{")

    assert (open_store(root).root / MARKER).is_file()


def test_many_runs_may_make_the_store_at_once(tmp_path: Path, python: Program) -> None:
    text = f"""
import sys
from pathlib import Path
from opencode_patcher.base.store import open_store
sys.stdin.read()
with open_store(Path({str(tmp_path / "new")!r})).mutex("build"):
    pass
"""
    start, gate = os.pipe()
    runs = [subprocess.Popen(python(text), stdin=start, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    os.close(start)
    os.close(gate)
    assert [(run.communicate()[1], run.returncode) for run in runs] == [("", 0)] * len(runs)


HOLDER = """
import sys
from pathlib import Path
from opencode_patcher.base.store import open_store
with open_store(Path({root!r})).mutex("build"):
    print("held", flush=True)
    sys.stdin.read()
"""

WAITER = """
import sys
from pathlib import Path
from opencode_patcher.base.errors import StoreError
from opencode_patcher.base.store import open_store
try:
    with open_store(Path({root!r})).mutex("build", wait={wait}, on_wait=lambda: print("waiting", flush=True)):
        print("mine", flush=True)
except StoreError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.fixture
def holder(store: Store, python: Program) -> subprocess.Popen[str]:
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        python(HOLDER.format(root=str(store.root))), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_says_that_it_waits_and_then_continues(
    store: Store, python: Program, holder: subprocess.Popen[str]
) -> None:
    waiter = subprocess.Popen(python(WAITER.format(root=str(store.root), wait=True)), stdout=subprocess.PIPE, text=True)
    assert waiter.stdout is not None
    assert waiter.stdout.readline() == "waiting\n"
    assert waiter.poll() is None

    holder.communicate()

    assert waiter.communicate()[0] == "mine\n"
    assert waiter.returncode == 0


def test_a_second_process_can_be_told_not_to_wait(store: Store, python: Program, holder: subprocess.Popen[str]) -> None:
    waiter = subprocess.run(
        python(WAITER.format(root=str(store.root), wait=False)), stdout=subprocess.PIPE, text=True, check=False
    )
    holder.communicate()

    assert waiter.returncode == StoreError.exit_code
    assert "Another run of opencode-patcher is in progress" in waiter.stdout
    assert "mine" not in waiter.stdout


def test_the_lock_of_a_killed_process_is_free(store: Store, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate()

    with store.mutex("build", wait=False):
        pass


def test_the_lock_is_given_back_after_an_error(store: Store) -> None:
    with pytest.raises(RuntimeError), store.mutex("build"):
        raise RuntimeError

    with store.mutex("build", wait=False):
        pass


def test_what_a_killed_process_staged_is_removed(store: Store, python: Program) -> None:
    with files.staged_directory(store.builds / "1.0.0-abc") as new:
        (new / "old").write_text("old")
    text = f"""
import os
from pathlib import Path
from opencode_patcher.base import files
opened = []
for final in {[str(store.builds / "1.0.0-abc"), str(store.trees / "source" / "v1.0.0")]!r}:
    opened.append(files.staged_directory(Path(final)))
    (opened[-1].__enter__() / "half").write_text("x")
os.kill(os.getpid(), 9)
"""
    subprocess.run(python(text), check=False)
    (store.trees / "source" / ".hidden").mkdir()
    assert names(store.builds / "1.0.0-abc") == {"old"}
    assert len(names(store.builds)) == 2

    storage.sweep(store)

    assert names(store.builds) == {"1.0.0-abc"}
    assert names(store.trees / "source") == {".hidden"}


def test_a_download_of_another_store_is_not_removed(store: Store) -> None:
    inner = store.inner("demo")
    with files.staged_directory(inner.toolchains / "bun-1.0.0") as new:
        abandoned = store.toolchains / ".bun-0.9.0.abcdefgh"
        abandoned.mkdir()
        long_ago = time.time() - storage.STALE_SECONDS - 60
        os.utime(abandoned, (long_ago, long_ago))

        storage.sweep(store)

        (new / "bun").write_text("program")
    assert names(store.toolchains) == {"bun-1.0.0"}
