"""SHA-256 digests, in hexadecimal."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from opencode_patcher.base import files


def file_sha256(path: Path) -> str:
    """A file's SHA-256. Raises OSError when it cannot be read, or is not a regular file."""
    with os.fdopen(files.open_regular(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
