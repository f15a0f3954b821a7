"""``SHA256SUMS``: the digest of every other file of a release, in the format of ``sha256sum -c``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.errors import ReleaseError

FILE_NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\\\s]+)")


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """How a directory differs from its checksums: names of files, sorted."""

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def problems(self) -> list[str]:
        """One line for each file."""
        return [
            *(f"{name} is not the file that was released" for name in self.changed),
            *(f"{name} is missing" for name in self.missing),
            *(f"{name} does not belong to the release" for name in self.extra),
        ]


def text(digests: Mapping[str, str]) -> str:
    """The content of ``SHA256SUMS`` for hexadecimal digests by file name."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))


def parse(content: str) -> dict[str, str]:
    """Digests by file name. Raises ReleaseError for a malformed line, and for a file that is listed twice."""
    found: dict[str, str] = {}
    for number, line in enumerate(content.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise ReleaseError(
                f"{FILE_NAME} is damaged.",
                why=f"Line {number}: {line[:100]!r}",
                next_step="Get the release again from where it is published.",
            )
        found[match[2]] = match[1]
    return found


def of(directory: Path, names: Iterable[str]) -> dict[str, str]:
    """The digests of files in a directory by their names."""
    return {name: file_sha256(directory / name) for name in names}


def compare(directory: Path, expected: Mapping[str, str]) -> Mismatch:
    """Compare a directory with its checksums. Directories in it count as extra. Raises OSError when it cannot be
    read."""
    there = {path.name for path in directory.iterdir()} - {FILE_NAME}
    present = [name for name in expected if (directory / name).is_file()]
    actual = of(directory, present)
    return Mismatch(
        changed=tuple(sorted(name for name in present if actual[name] != expected[name])),
        missing=tuple(sorted(set(expected) - set(present))),
        extra=tuple(sorted(there - set(expected))),
    )
