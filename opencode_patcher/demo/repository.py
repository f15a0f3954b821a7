"""A small upstream as a git repository with a release tag: the same files give the same commit everywhere."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import git
from opencode_patcher.base.files import staged_directory
from opencode_patcher.base.line import OPENCODE_1, OPENCODE_2, Line
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.upstream import releases

AUTHOR = "opencode-patcher <demo@example.invalid>"
DATE = "1735689600 +0000"
"""Seconds since the epoch. Any constant will do; the commit's id must not depend on the date."""

SERVER = {"uploadpack.allowFilter": "true", "uploadpack.allowAnySHA1InWant": "true"}
"""What a public git server allows, so that the demo can do a partial fetch like a real build."""

_NOT_OURS = frozenset({"node_modules", "dist", "__pycache__"})
"""Directories that development may leave among the files."""


@dataclass(frozen=True, kw_only=True)
class Small:
    """A small upstream as it ships: the directory of its ``files``, and the ``tag`` of its one release."""

    files: Path
    tag: str


SMALL = {
    OPENCODE_1.major: Small(files=Path(__file__).with_name("upstream"), tag="v1.0.0"),
    OPENCODE_2.major: Small(files=Path(__file__).with_name("upstream-2"), tag="v2.0.0"),
}
"""The small upstream of each line, by its major version."""


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """A repository and the one release in it."""

    path: Path
    release: Release


def ensure(store: Store, files: Mapping[str, str] | None = None, *, line: Line = OPENCODE_1) -> Upstream:
    """The repository of a line's small upstream, made if needed. ``files`` (text by path) replaces those that ship with
    the tool.

    Different files get a different path, so that a newer tool does not use the tree of an older one. Raises StoreError
    when it cannot be written, ProcessError when git fails.
    """
    small = SMALL[line.major]
    stream = fast_import_stream(read_files(small.files) if files is None else files, small.tag)
    path = store.root / "upstream" / hashlib.sha256(stream.encode("utf-8")).hexdigest()[:12]
    if not path.is_dir():
        with staged_directory(path) as new:
            _make(new, stream)
    return Upstream(path=path, release=releases.latest(releases.list_releases(str(path), line), line))


def read_files(root: Path = SMALL[OPENCODE_1.major].files) -> dict[str, str]:
    """The text of each file below ``root`` by its path with forward slashes."""
    found: dict[str, str] = {}
    for directory, names, files in os.walk(root):
        names[:] = [name for name in names if name not in _NOT_OURS]
        for name in files:
            path = Path(directory, name)
            found[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
    return found


def fast_import_stream(files: Mapping[str, str], tag: str) -> str:
    """The input for ``git fast-import`` that makes one commit of ``files`` with a ``tag``. Pure.

    It bypasses the user's settings for line endings, hooks, signatures and identity, which would change the commit.
    """
    return "".join(_commands(files, tag))


def _commands(files: Mapping[str, str], tag: str) -> Iterator[str]:
    message = f"A small OpenCode {tag}"
    yield f"commit refs/heads/dev\ncommitter {AUTHOR} {DATE}\n{_data(message)}"
    for path in sorted(files):
        yield f"M 100644 inline {path}\n{_data(files[path])}"
    yield f"reset refs/tags/{tag}\nfrom refs/heads/dev\n"


def _data(text: str) -> str:
    return f"data {len(text.encode('utf-8'))}\n{text}\n"


def _make(path: Path, stream: str) -> None:
    git.run("init", "--quiet", "--bare", "--template=", "--object-format=sha1", "--initial-branch=dev", path)
    for name, value in SERVER.items():
        git.run(f"--git-dir={path}", "config", name, value)
    git.run(f"--git-dir={path}", "fast-import", "--quiet", stdin=stream)
