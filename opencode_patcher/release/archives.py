"""Archives whose bytes depend only on their content: not on the clock, the user, or a directory's order.

The compressed bytes still depend on zlib's version; ``ZLIB`` records it, so that a difference can be explained.
"""

from __future__ import annotations

import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LEVEL = 6
"""zlib's own default, which upstream's ``tar -z`` and ``zip -r`` use."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive: the earliest that zip supports."""
EPOCH_SECONDS = 315532800
"""``EPOCH`` in seconds since 1970, in UTC."""

ZLIB = zlib.ZLIB_RUNTIME_VERSION
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ArchiveMember:
    """A file for an archive: the name in it, the file on the disk, and its permission bits."""

    name: str
    path: Path
    mode: int = 0o644


def write(path: Path, members: Sequence[ArchiveMember]) -> None:
    """Write ``members`` in their order to ``path``, as ``.tar.gz`` or ``.zip`` by its name. Raises OSError."""
    if path.name.endswith(".tar.gz"):
        _tar_gz(path, members)
    else:
        _zip(path, members)


def _tar_gz(path: Path, members: Sequence[ArchiveMember]) -> None:
    with (
        path.open("wb") as file,
        # An empty name and time keep both out of gzip's header.
        gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for member in members:
            about = tarfile.TarInfo(member.name)
            about.size = member.path.stat().st_size
            about.mode = member.mode
            about.mtime = EPOCH_SECONDS
            with member.path.open("rb") as content:
                archive.addfile(about, content)


def _zip(path: Path, members: Sequence[ArchiveMember]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for member in members:
            about = zipfile.ZipInfo(member.name, date_time=EPOCH)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.create_system = 3  # Unix, whose permission bits are in the upper half of external_attr
            about.external_attr = (stat.S_IFREG | member.mode) << 16
            about.file_size = member.path.stat().st_size
            with member.path.open("rb") as content, archive.open(about, "w") as packed:
                shutil.copyfileobj(content, packed, _CHUNK)
