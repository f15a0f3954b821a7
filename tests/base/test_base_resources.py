"""Patches and templates are found in a checkout, in a wheel, and missed aloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencode_patcher.base import resources
from opencode_patcher.base.errors import PatchError


def test_a_checkout_has_them_beside_the_package() -> None:
    checkout = Path(resources.__file__).parents[2]

    assert resources.patches() == checkout / "patches" / "opencode-1"
    assert (resources.patches() / "series").is_file()
    assert (resources.templates() / "opencode-1").is_dir()


def test_a_wheel_has_them_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "opencode_patcher"
    (package / "_resources" / "patches").mkdir(parents=True)
    (package.parent / "patches").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)

    assert resources.patches() == package / "_resources" / "patches" / "opencode-1"


def test_an_installation_without_them_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "opencode_patcher")

    for look in (resources.patches, resources.templates):
        with pytest.raises(PatchError, match="installation") as caught:
            look()
        assert str(tmp_path) in caught.value.why
