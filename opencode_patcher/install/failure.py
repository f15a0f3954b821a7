"""The one error for a directory that cannot be changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opencode_patcher.base.errors import InstallError


@contextmanager
def install_errors(path: Path) -> Iterator[None]:
    """Turns an OSError in the block into an InstallError about ``path``."""
    try:
        yield
    except OSError as error:
        raise InstallError(
            f"{path} cannot be changed.",
            why=f"{error.strerror or error}. What was there before is still there.",
            next_step="Fix the permissions or free some space, or name another directory with --bin-dir.",
        ) from error
