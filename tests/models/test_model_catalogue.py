"""Reading a catalogue: mistakes are reported with their place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from opencode_patcher.base.errors import CatalogueError
from opencode_patcher.models import catalogue
from opencode_patcher.models.resolve import Offer

GOOD = {"p": {"name": "P", "models": {"m-1": {"id": "m-1", "name": "M 1", "release_date": "2025-01-02"}}}}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_plain_and_compressed(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "models.json"
    path.write_bytes(pack(json.dumps(GOOD).encode()))
    assert catalogue.load(path) == (Offer(provider_id="p", model_id="m-1", name="M 1", release_date="2025-01-02"),)


def test_a_date_may_be_missing() -> None:
    (found,) = catalogue.parse(b'{"p": {"models": {"m": {"name": "M"}}}}', "x")
    assert found.release_date == ""


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", "It is not valid JSON"),
        (b"<html>", "It is not valid JSON"),
        (b"\xff\xfe\x00", "It is not UTF-8"),
        (b"[" * 100_000, "It is nested too deeply"),
        (b"[]", "the whole is a list"),
        (b'{"p": 1}', "provider 'p' is a number"),
        (b'{"p": {}}', "models of provider 'p' is missing"),
        (b'{"p": {"models": []}}', "models of provider 'p' is a list"),
        (b'{"p": {"models": {"m": null}}}', "model 'm' of provider 'p' is missing"),
        (b'{"p": {"models": {"m": {}}}}', "model 'm' of provider 'p' has no name"),
        (b'{"p": {"models": {"m": {"name": 3}}}}', "has a name that is a number"),
        (b'{"p": {"models": {"m": {"name": "M", "release_date": []}}}}', "has a release_date that is a list"),
    ],
)
def test_the_place_of_a_mistake_is_named(data: bytes, place: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        catalogue.parse(data, "models.json")
    assert place in str(caught.value)
    assert "models.json is not a catalogue." in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"x" * 1000)[:15])
    for path in (tmp_path, tmp_path / "none", broken):
        with pytest.raises(CatalogueError, match="cannot be read"):
            catalogue.load(path)


def test_opencodes_own_catalogue(tmp_path: Path) -> None:
    assert catalogue.opencode_cache({"XDG_CACHE_HOME": str(tmp_path)}) is None
    path = tmp_path / "opencode" / "models.json"
    path.parent.mkdir()
    path.write_text("{}", encoding="utf-8")
    assert catalogue.opencode_cache({"XDG_CACHE_HOME": str(tmp_path)}) == path
    assert catalogue.opencode_cache({"OPENCODE_MODELS_PATH": "/own.json"}) == Path("/own.json")
