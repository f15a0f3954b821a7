"""Fixtures of the room."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.configuration.config_samples import User


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(root=tmp_path / "user")
