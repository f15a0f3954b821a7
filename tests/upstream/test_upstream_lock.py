"""The lock pins a commit; a tag that moved is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.version import Release
from opencode_patcher.upstream import lock
from opencode_patcher.upstream.lock import CataloguePin, Lock

PINNED = Lock(
    release=Release(tag="v1.2.3", version=(1, 2, 3), commit="a" * 40),
    catalogue=CataloguePin(package="models", version="1.0", sha256="b" * 64),
)


def test_the_projects_own_lock_can_be_read() -> None:
    found = lock.read_lock()
    assert found.release.tag == f"v{found.release.number}"
    assert len(found.catalogue.sha256) == 64


def test_a_lock_can_be_read_back(tmp_path: Path) -> None:
    file = tmp_path / "lock.json"
    lock.write_lock(PINNED, file)
    assert lock.read_lock(file) == PINNED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"tag": "latest", "commit": "%s", "catalogue": {}}' % ("a" * 40),
        '{"tag": "v1.2.3", "commit": "abc", "catalogue": {"package": "p", "version": "1", "sha256": "s"}}',
        '{"tag": "v1.2.3", "commit": "%s", "catalogue": {"package": "p"}}' % ("a" * 40),
    ],
)
def test_a_damaged_lock_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "lock.json"
    file.write_text(text)
    with pytest.raises(SourceError) as caught:
        lock.read_lock(file)
    assert str(file) in caught.value.what


def test_a_missing_lock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.json cannot be read"):
        lock.read_lock(tmp_path / "none.json")


def test_a_moved_tag_is_refused_with_both_commits() -> None:
    with pytest.raises(SourceError) as caught:
        lock.check(Release(tag="v1.2.3", version=(1, 2, 3), commit="c" * 40), PINNED)
    assert "a" * 40 in caught.value.why
    assert "c" * 40 in caught.value.why


def test_the_same_commit_and_other_releases_pass() -> None:
    lock.check(PINNED.release, PINNED)
    lock.check(Release(tag="v1.2.4", version=(1, 2, 4), commit="c" * 40), PINNED)
