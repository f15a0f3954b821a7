"""Fixtures of this room: real git repositories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base import git


@pytest.fixture
def commit(tmp_path: Path) -> Callable[..., Path]:
    """Makes a repository with one commit with the given files (content by path)."""

    def make(files: dict[str, str | bytes]) -> Path:
        root = tmp_path / "upstream"
        root.mkdir()
        git.run("init", "--quiet", "--initial-branch=dev", cwd=root)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        git.run("add", "--all", "--force", cwd=root)
        identity = (
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.invalid",
            "-c",
            "commit.gpgSign=false",
        )
        git.run(*identity, "commit", "--quiet", "--message=Release", cwd=root)
        return root

    return make
