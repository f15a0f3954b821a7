"""Which releases a source has, and the error for one that cannot be found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.version import Release, parse_tag
from opencode_patcher.upstream import releases
from tests.upstream.fake_upstream import Upstream


def release(tag: str) -> Release:
    version = parse_tag(tag)
    assert version is not None
    return Release(tag=tag, version=version, commit="0" * 40)


KNOWN = tuple(release(tag) for tag in ("v1.2.9", "v1.17.0", "v1.18.2", "v1.18.3"))


def test_lists_only_releases_in_the_order_of_their_versions(upstream: Upstream) -> None:
    for tag in (
        "v1.0.10",
        "v1.0.9",
        "v2.0.0-beta.1",
        "nightly",
        "1.0.11",
        "v1.0",
        "v01.0.0",
        "vscode-v1.0.12",
    ):
        upstream.release(tag, {"README.md": tag})
    listed = releases.list_releases(upstream.source)
    assert [found.tag for found in listed] == ["v1.0.0", "v1.0.9", "v1.0.10"]
    assert listed[-1].number == "1.0.10"
    assert releases.latest(listed).tag == "v1.0.10"


def test_a_tag_of_thousands_of_digits_is_skipped(upstream: Upstream) -> None:
    commit = upstream.git("rev-parse", "HEAD")
    upstream.git("pack-refs", "--all")
    with (upstream.path / ".git" / "packed-refs").open("a") as packed:
        packed.write(f"{commit} refs/tags/v{'9' * 5000}.0.0\n")
    assert "9" * 5000 in upstream.git("ls-remote", "--tags", upstream.source)
    assert [found.tag for found in releases.list_releases(upstream.source)] == ["v1.0.0"]


@pytest.mark.parametrize("annotated", [True, False])
def test_a_release_has_the_commit_and_not_the_tag_object(upstream: Upstream, annotated: bool) -> None:
    commit = upstream.release("v1.1.0", {"README.md": "new"}, annotated=annotated)
    assert releases.list_releases(upstream.source)[-1].commit == commit


@pytest.mark.parametrize("ref", ["v1.18.3", "1.18.3"])
def test_finds_a_release_with_and_without_v(ref: str) -> None:
    assert releases.find(KNOWN, ref).tag == "v1.18.3"


@pytest.mark.parametrize(
    ("ref", "nearest"),
    [
        ("v1.18.9", "v1.18.3"),
        ("1.18.30", "v1.18.3"),
        ("v1.3.0", "v1.2.9"),
        ("v1.18", "v1.18.2"),
        ("v1.99.0", "v1.18.3"),
        ("v1.18.2-beta.1", "v1.18.2"),
        ("1.17.O", "v1.17.0"),
    ],
)
def test_an_unknown_release_names_the_nearest(ref: str, nearest: str) -> None:
    with pytest.raises(SourceError) as caught:
        releases.find(KNOWN, ref)
    assert ref in caught.value.what
    assert f"nearest is {nearest}" in caught.value.why
    assert caught.value.next_step == f"Try: opencode-patcher build {nearest}"


@pytest.mark.parametrize("ref", ["latest", "", "dev", f"v{'9' * 5000}"], ids=["word", "empty", "branch", "many digits"])
def test_a_word_that_is_not_a_version_still_gets_a_suggestion(ref: str) -> None:
    with pytest.raises(SourceError) as caught:
        releases.find(KNOWN, ref)
    assert "newest is v1.18.3" in caught.value.why
    assert len(caught.value.what) < 200


def test_a_source_without_releases_says_so(make_upstream: Callable[[], Upstream]) -> None:
    empty = make_upstream()
    empty.release("nightly")
    listed = releases.list_releases(empty.source)
    assert listed == ()
    with pytest.raises(SourceError, match="has no release"):
        releases.latest(listed)
    with pytest.raises(SourceError, match="has no release"):
        releases.find(listed, "v1.0.0")


def test_a_directory_that_is_not_a_repository(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        releases.list_releases(str(tmp_path))
    assert "There is no git repository" in caught.value.why
    assert "opencode-patcher demo" in caught.value.next_step


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        releases.list_releases(str(tmp_path / "missing"))
    assert str(tmp_path / "missing") in caught.value.why
    assert "opencode-patcher demo" in caught.value.next_step


def test_an_unreachable_server_and_its_password_is_not_shown() -> None:
    with pytest.raises(SourceError) as caught:
        releases.list_releases("http://someone:secret@127.0.0.1:9/opencode")
    assert "cannot be reached" in caught.value.why
    assert "opencode-patcher demo" in caught.value.next_step
    assert "secret" not in str(caught.value)
