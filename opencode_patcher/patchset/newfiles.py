"""Whole new files: the core of the feature and the adapters of a line, and where they go in OpenCode's repository."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.line import OPENCODE_1, Line, Templates
from opencode_patcher.base.version import Range, Version
from opencode_patcher.patchset import paths

TEMPLATE_SUFFIX = ".j2"
TESTS = "/test/"
"""Part of the path of every test in upstream's packages."""

IGNORED = frozenset({".DS_Store", "Thumbs.db", "__pycache__", "node_modules"})
"""Files that file managers and tools leave in a directory; never part of the change."""


@dataclass(frozen=True, kw_only=True)
class NewFile:
    """A file to add. ``path`` is where it goes, ``template`` where it was read from (below the templates'
    directory).

    ``rendered`` says whether ``content`` is a template (its name ended in ``.j2``) or goes in byte for byte. Only
    releases in ``releases`` get it.
    """

    path: str
    template: str
    content: bytes
    rendered: bool
    releases: Range = field(default_factory=Range)


def load(templates_dir: Path, line: Line = OPENCODE_1) -> tuple[NewFile, ...]:
    """Read all new files of a line below ``templates_dir``, sorted by path.

    Raises PatchError when there is no such directory, for a symbolic link, a path that is refused, two templates for
    one file, or an unreadable file.
    """
    required = templates_dir / line.templates[0].directory
    if not required.is_dir():
        raise PatchError(
            "The templates are missing.",
            why=f"There is no directory {required}.",
            next_step="Restore it from the project's history, or install opencode-patcher again.",
        )
    found: list[NewFile] = []
    for path, target, placed in _placed(templates_dir, line):
        template = path.relative_to(templates_dir).as_posix()
        if reason := paths.problem(target):
            raise PatchError(f"The template {template} is refused.", why=f"Its path '{target}' is refused: {reason}.")
        same = (item for item in found if item.path == target and item.releases.overlaps(placed.releases))
        if other := next(same, None):
            raise PatchError(
                f"Two templates write the same file, {target}.",
                why=f"They are {other.template} and {template}.",
                next_step="Remove one of them.",
            )
        try:
            content = files.read_bytes(path)
        except OSError as error:
            raise PatchError(f"The template {template} cannot be read.", why=f"{error.strerror or error}.") from error
        found.append(
            NewFile(
                path=target,
                template=template,
                content=content,
                rendered=path.name.endswith(TEMPLATE_SUFFIX),
                releases=placed.releases,
            )
        )
    return tuple(sorted(found, key=lambda file: (file.path, file.template)))


def of_release(files: Iterable[NewFile], version: Version | None) -> tuple[NewFile, ...]:
    """The files that a release of this version gets; None means that the version is unknown."""
    return tuple(file for file in files if file.releases.has(version))


def without_tests(files: Iterable[NewFile]) -> tuple[NewFile, ...]:
    """The files that go into a binary. Tests do not; they use upstream's own test rig, which changes more often."""
    return tuple(file for file in files if TESTS not in file.path)


def _placed(templates_dir: Path, line: Line) -> Iterator[tuple[Path, str, Templates]]:
    for templates in line.templates:
        root = templates_dir / templates.directory
        for path in _files(root):
            yield path, templates.path + path.relative_to(root).as_posix().removesuffix(TEMPLATE_SUFFIX), templates


def _files(root: Path) -> list[Path]:
    found: list[Path] = []
    for directory, names, there in os.walk(root):
        names[:] = sorted(name for name in names if name not in IGNORED)
        for name in [*names, *there]:
            path = Path(directory, name)
            if path.is_symlink():
                raise PatchError(
                    f"The template {path} is a symbolic link.",
                    why="Templates are copied, so a regular file is needed.",
                )
        found += [Path(directory, name) for name in there if name not in IGNORED]
    return found
