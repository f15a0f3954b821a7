"""A release that is killed leaves nothing beside its directory once another one is made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from opencode_patcher.base.store import Store, open_store
from opencode_patcher.release import staging

KILLED = """
import os, sys
from pathlib import Path
from opencode_patcher.base import files
from opencode_patcher.base import store as storage
from opencode_patcher.release import staging

out, at = Path(sys.argv[2]), sys.argv[3]

def kill(*_, **__):
    os.kill(os.getpid(), 9)

if at == "old is aside":
    replace = Path.replace
    Path.replace = lambda self, to: kill() if Path(to) == out else replace(self, to)
if at == "new is there":
    files.shutil.rmtree = kill
with staging.staged(out, storage.open_store(Path(sys.argv[1]))) as place:
    (place / "new").write_text("new")
    if at == "being made":
        kill()
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize(
    ("at", "found"), [("being made", "former"), ("old is aside", "former"), ("new is there", "new")]
)
def test_the_next_release_removes_what_a_killed_run_left(store: Store, tmp_path: Path, at: str, found: str) -> None:
    out = tmp_path / "releases" / "dist"
    out.mkdir(parents=True)
    (out / "former").write_text("former")
    done = subprocess.run([sys.executable, "-c", KILLED, store.root, out, at], env={**os.environ}, check=False)
    assert done.returncode == -9
    (out.parent / ".dist.settings").mkdir()
    assert len(names(out.parent)) > 2

    with staging.staged(tmp_path / "another", store):
        assert names(out.parent) == [".dist.settings", "dist"]
        assert names(out) == [found]
    assert staging.NOTE not in names(store.root)


def test_a_note_that_is_damaged_or_names_something_else_deletes_nothing(store: Store, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for text in ("", "[]", f'{{"out": "{tmp_path}/dist", "staging": "{theirs}"}}'):
        (store.root / staging.NOTE).write_text(text)
        with staging.staged(tmp_path / "out", store):
            assert theirs.is_dir()
