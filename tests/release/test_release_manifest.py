"""The manifest says what went into a release, and is understood again."""

from __future__ import annotations

import json

import pytest

from opencode_patcher.base.errors import ReleaseError
from opencode_patcher.base.version import Release
from opencode_patcher.release import manifest
from tests.release.release_samples import manifest as sample


def test_a_manifest_can_be_read_back() -> None:
    made = sample()
    assert manifest.parse(json.dumps(manifest.as_data(made))) == made


def test_it_has_what_a_reader_without_the_tool_needs() -> None:
    data = json.loads(json.dumps(manifest.as_data(sample())))
    assert data["schema"] == 1
    assert data["upstream"]["tag"] == "v1.18.3"
    assert data["targets"][0] == {
        "name": "linux-x64",
        "archive": {"name": "opencode-linux-x64.tar.gz", "sha256": "1" * 64, "size": 48_000_000},
        "binary": {"name": "opencode", "sha256": "2" * 64, "size": 146_000_000},
        "runtime": "3" * 64,
        "without": [],
    }


def test_a_release_of_opencode_2_names_its_program_and_other_dependencies() -> None:
    newer = Release(tag="v2.0.0-pre.20260720", version=(2, 0, 0), commit="d" * 40)
    made = sample(release=newer, packages=("effect=4.0.2",))
    assert manifest.parse(json.dumps(manifest.as_data(made))) == made
    target = made.target(made.artifacts[0])
    assert (target.archive, target.binary) == ("opencode2-linux-x64.tar.gz", "opencode2")


def test_a_newer_schema_is_refused_with_the_version_that_knows_it() -> None:
    data = manifest.as_data(sample()) | {"schema": 2, "targets": "something new"}
    with pytest.raises(ReleaseError, match="newer opencode-patcher") as caught:
        manifest.parse(json.dumps(data))
    assert "schema is 2" in caught.value.why
    assert "1.2.3" in caught.value.next_step


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps(manifest.as_data(sample()) | {"schema": 0}),
        json.dumps(manifest.as_data(sample()) | {"schema": "1"}),
        json.dumps(manifest.as_data(sample()) | {"targets": [{"name": "linux-x64"}]}),
        json.dumps(manifest.as_data(sample()) | {"published": {"repository": "'; rm -r ~; '", "release": ""}}),
        json.dumps(manifest.as_data(sample()) | {"upstream": {"tag": "main", "commit": "c" * 40, "source": ""}}),
    ],
)
def test_a_damaged_manifest_is_an_error_without_a_traceback(text: str) -> None:
    with pytest.raises(ReleaseError, match="damaged"):
        manifest.parse(text)


def test_our_manifest_is_distinguished_from_others() -> None:
    assert manifest.is_ours(json.dumps(manifest.as_data(sample()) | {"schema": 7}))
    for text in ("", "[]", '{"name": "an extension", "version": "1"}', '{"tool": "x", "schema": 1}'):
        assert not manifest.is_ours(text)
