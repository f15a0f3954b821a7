"""A document that is damaged, hostile or too new ends in one kind of error that says why."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_patcher.base import documents
from opencode_patcher.base.documents import DocumentError, Format, MissingError, NewerError


@dataclass(frozen=True, kw_only=True)
class Sample:
    name: str
    size: int = 0
    at: float = 0.0


HOSTILE = {
    "empty": (b"", "valid JSON"),
    "half": (b'{"name": "x"', "valid JSON"),
    "words after it": (b'{"name": "x"} y', "valid JSON"),
    "list": (b"[]", "Expected `object`, got `array`"),
    "field missing": (b"{}", "missing required field `name`"),
    "wrong type": (b'{"name": ["x"]}', r"Expected `str`, got `array` - at `\$\.name`"),
    "text for a number": (b'{"name": "x", "size": "1"}', "Expected `int`"),
    "truth for a number": (b'{"name": "x", "size": true}', "Expected `int`"),
    "huge number": (b'{"name": "x", "size": 1' + b"0" * 400 + b"}", "number"),
    "number of 5,000 digits": (b'{"name": "x", "size": 1' + b"0" * 5000 + b"}", "valid JSON|range|number"),
    "infinite": (b'{"name": "x", "at": 1e999}', "out of range"),
    "NaN": (b'{"name": "x", "at": NaN}', "valid JSON"),
    "deep list": (b"[" * 100_000, "nested too deeply"),
    "deep object": (b'{"name": ' * 100_000, "nested too deeply"),
    "deep in a field that is not known": (
        b'{"name": "x", "more": ' + b"[" * 500 + b"]" * 500 + b"}",
        "nested too deeply",
    ),
    "not UTF-8": (b'{"name": "\xff"}', "not UTF-8"),
    "half a surrogate pair": (b'{"name": "\\ud800"}', "valid JSON"),
}


@pytest.mark.parametrize(("data", "why"), HOSTILE.values(), ids=HOSTILE)
def test_damaged_and_hostile_documents_are_refused_with_a_reason(data: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_bytes(data)

    with pytest.raises(DocumentError, match=why) as caught:
        documents.read(tmp_path / "file.json", Sample)

    assert str(caught.value).endswith(".")


def test_a_document_is_read_as_its_shape_and_may_have_more_fields(tmp_path: Path) -> None:
    (tmp_path / "file.json").write_bytes(b'{"name": "gr\xc3\xbcn", "size": 9007199254740993, "at": 3, "new": {}}')

    assert documents.read(tmp_path / "file.json", Sample) == Sample(name="gr\u00fcn", size=9007199254740993, at=3.0)


def test_a_missing_file_is_distinguished_from_a_bad_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    for path in (tmp_path / "none.json", tmp_path / "file" / "below.json"):
        with pytest.raises(MissingError):
            documents.read(path, Sample)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_pipe_a_device_and_a_large_file_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    (tmp_path / "large.json").write_bytes(b" " * 2_000_000)

    for name in ("pipe.json", "zero.json"):
        with pytest.raises(DocumentError, match="not a regular file"):
            documents.read(tmp_path / name, Sample)
    with pytest.raises(DocumentError, match="larger than 1 MB"):
        documents.read(tmp_path / "large.json", Sample, limit=1_000_000)


def test_formats_are_checked_before_anything_else() -> None:
    known = Format(2)

    assert documents.parse(b'{"format": 1, "name": "x"}', Sample, format=known).name == "x"
    with pytest.raises(NewerError, match="format is 3; this version reads format 2") as caught:
        documents.parse(b'{"format": 3, "title": "x"}', Sample, format=known)
    assert caught.value.found == 3
    for damaged in (b"{}", b'{"format": "1"}', b'{"format": true}', b'{"format": 0}', b"[]"):
        with pytest.raises(DocumentError) as damage:
            documents.parse(damaged, Sample, format=known)
        assert not isinstance(damage.value, NewerError)


def test_names_that_are_not_utf_8_are_kept_if_requested() -> None:
    data = b'{"name": "caf\xe9"}'

    assert os.fsencode(documents.parse(data, Sample, any_bytes=True).name) == b"caf\xe9"
    with pytest.raises(DocumentError, match="nested too deeply"):
        documents.parse(b'{"name": ' * 100_000, Sample, any_bytes=True)
