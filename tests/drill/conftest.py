"""What the drill's tests share: a stand-in for the binary, and observations to judge."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FAKE = Path(__file__).with_name("fake_opencode.py")


@pytest.fixture
def fake_opencode(tmp_path: Path) -> Callable[[str], Path]:
    """Makes an executable that behaves as ``fake_opencode.py`` says for a mode."""

    def make(mode: str) -> Path:
        path = tmp_path / f"opencode-{mode}"
        text = FAKE.read_text(encoding="utf-8").replace("@MODE@", mode)
        path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
        path.chmod(0o755)
        return path

    return make
