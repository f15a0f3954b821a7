"""Whether the names that our code uses from upstream still exist. Pure.

A hunk may fit and the result still not compile: a module that a new file imports was moved or no longer exports a name,
or a hunk uses a variable that its function no longer has. A type check finds all of that and more, but takes minutes;
this finds the common cases from a few files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from opencode_patcher.base import documents
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.patchset.compose import FileOutcome
from opencode_patcher.patchset.newfiles import NewFile
from opencode_patcher.patchset.parse import ADDED
from opencode_patcher.patchset.place import Placement, added_lines, read_source
from opencode_patcher.patchset.typescript import lexer, modules, scope
from opencode_patcher.patchset.typescript.modules import Exports
from opencode_patcher.upstream.workspace import DEPENDENCY_FIELDS

SKIPPED = "/test/"
"""Our tests are not part of the binary, and may need a newer upstream than the code does."""

PACKAGE = "package.json"
MANIFEST = f"{modules.PROGRAM}/{PACKAGE}"
"""Its dependencies are also found from the other packages: bun installs them for all."""

BUILT_IN = frozenset(
    {"async_hooks", "bun", "child_process", "crypto", "events", "fs", "os", "path", "process", "url", "util"}
)
"""Modules of Node and bun that may be imported without ``node:``."""


@dataclass(frozen=True, kw_only=True, order=True)
class MissingName:
    """A name that ``file`` (a new or a patched one) uses but the release does not have."""

    file: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Need:
    """What ``importer`` imports from a module: one name, and which of its members it uses."""

    importer: str
    module: str
    name: str
    members: frozenset[str] = frozenset()


def needs(path: str, text: str) -> tuple[Need, ...]:
    """What a module of ours imports, or passes on from another module."""
    code = lexer.scan(text).code
    imported = (
        Need(importer=path, module=item.module, name=item.name, members=modules.members(code, item.local))
        for item in modules.imports(text)
    )
    passed = (Need(importer=path, module=item.module, name=item.name) for item in modules.exports(text).passed.values())
    return (*imported, *passed)


class Imports:
    """Looks for imported names in one release after another; the exports of a text are read once. ``new_files`` are
    those that the releases get.
    """

    def __init__(self, new_files: Sequence[NewFile]) -> None:
        self._ours = {
            file.path: file.content.decode("utf-8", "replace")
            for file in new_files
            if file.path.endswith(lexer.SUFFIXES)
        }
        self._needs = tuple(
            need for path, text in self._ours.items() if SKIPPED not in path for need in needs(path, text)
        )
        self._exports: dict[str, Exports] = {}

    def missing(self, read: modules.Read, hooks: Sequence[Need]) -> tuple[MissingName, ...]:
        """The names that the new files and the patches import but the release lacks. ``read`` returns pristine
        files."""

        def with_ours(path: str) -> str | None:
            return self._ours[path] if path in self._ours else read(path)

        @cache
        def declared(manifest: str) -> frozenset[str]:
            return _dependencies(read(manifest) or "{}")

        def installed(importer: str) -> frozenset[str]:
            return declared(f"{'/'.join(importer.split('/')[:2])}/{PACKAGE}") | declared(MANIFEST)

        found: set[MissingName] = set()
        for need in (*self._needs, *hooks):
            if modules.is_internal(need.module):
                found.update(self._unresolved(need, with_ours))
            elif not _is_built_in(need.module) and modules.dependency(need.module) not in installed(need.importer):
                found.add(MissingName(file=need.importer, what=f"the package {modules.dependency(need.module)}"))
        return tuple(sorted(found))

    def _unresolved(self, need: Need, read: modules.Read) -> Iterator[MissingName]:
        path = modules.resolve(need.module, need.importer, read)
        if path is None:
            yield MissingName(file=need.importer, what=f"the module {need.module}")
            return
        if need.name == "*":
            namespace: str | None = path
        elif not self._has(path, need.name, read, set()):
            yield MissingName(file=need.importer, what=f"{need.name} in {path}")
            return
        else:
            namespace = self._namespace(path, need.name, read, set())
        if namespace is not None:
            for member in sorted(need.members):
                if not self._has(namespace, member, read, set()):
                    yield MissingName(file=need.importer, what=f"{need.name}.{member} in {namespace}")

    def _has(self, path: str, name: str, read: modules.Read, seen: set[str]) -> bool:
        exported = self._exported(path, read)
        if name in exported.names or name in exported.namespaces:
            return True
        return any(self._has(star, name, read, seen) for star in self._stars(path, exported, read, seen))

    def _namespace(self, path: str, name: str, read: modules.Read, seen: set[str]) -> str | None:
        """The module that a name stands for; None when it is not a module."""
        exported = self._exported(path, read)
        if name in exported.namespaces:
            return modules.resolve(exported.namespaces[name], path, read)
        if name in exported.passed:
            item = exported.passed[name]
            target = modules.resolve(item.module, path, read) if modules.is_internal(item.module) else None
            if target is None or target in seen:
                return None
            return self._namespace(target, item.name, read, {*seen, path})
        stars = self._stars(path, exported, read, seen)
        return next((found for star in stars if (found := self._namespace(star, name, read, seen))), None)

    def _stars(self, path: str, exported: Exports, read: modules.Read, seen: set[str]) -> list[str]:
        seen.add(path)
        targets = (modules.resolve(module, path, read) for module in exported.stars)
        return [target for target in targets if target is not None and target not in seen]

    def _exported(self, path: str, read: modules.Read) -> Exports:
        text = read(path) or ""
        if text not in self._exports:
            self._exports[text] = modules.exports(text)
        return self._exports[text]


@dataclass(frozen=True, kw_only=True)
class HookNames:
    """What the added lines of a patch use in one file: names of the file by hunk number, and their own imports."""

    local: Mapping[int, frozenset[str]]
    imported: tuple[Need, ...]


def hook_names(item: FileOutcome) -> HookNames:
    """What the hunks of a patch use of the code around them, for a file in which all of them were placed."""
    if item.path is None or item.placed is None or item.hunks is None or not item.path.endswith(lexer.SUFFIXES):
        return HookNames(local={}, imported=())
    source, outline = read_source(item.placed.text)
    added_text = "\n".join(line.text for hunk in item.hunks.hunks for line in hunk.lines if line.kind == ADDED)
    imported = needs(item.path, added_text)
    own = {found.local for found in modules.imports(added_text)}
    if outline is None:
        return HookNames(local={}, imported=imported)
    file = scope.Scope(source, outline)
    added: dict[int, tuple[tuple[str, ...], Sequence[int]]] = {}
    shift = 0
    for hunk, placement in zip(item.hunks.hunks, item.placed.placements, strict=True):
        added[hunk.number] = _path(placement), added_lines(hunk, placement, shift)
        shift += 0 if placement.already else len(hunk.result) - len(hunk.source)
    local: dict[int, frozenset[str]] = {}
    for number, (path, lines) in added.items():
        code = [line for line in lines if not source.code_line(line).startswith("import ")]
        names = scope.used(source, code) - own
        # What one hunk declares, those in the same function may use, and those in functions inside it.
        around = [line for other, its_lines in added.values() if other == path[: len(other)] for line in its_lines]
        local[number] = frozenset(name for name in names if not file.declares(name, around))
    return HookNames(local=local, imported=imported)


def missing_locals(item: FileOutcome, names: HookNames) -> tuple[MissingName, ...]:
    """The names that the hunks use but that are not declared where the hunks were placed."""
    if item.path is None or item.placed is None or not names.local:
        return ()
    source, outline = read_source(item.before)
    if outline is None:
        return ()
    file = scope.Scope(source, outline)
    return tuple(
        MissingName(file=item.path, what=f"{name} in {placement.function or 'the file'}")
        for placement in item.placed.placements
        for name in sorted(names.local.get(placement.hunk, ()))
        if not file.reaches(name, _path(placement))
    )


def _path(placement: Placement) -> tuple[str, ...]:
    return tuple(placement.function.split(" > ")) if placement.function else ()


def _dependencies(manifest: str) -> frozenset[str]:
    try:
        data = documents.parse(manifest, dict[str, object])
    except DocumentError:
        return frozenset()
    fields = (data.get(field) for field in DEPENDENCY_FIELDS)
    return frozenset(name for field in fields if isinstance(field, dict) for name in field)


def _is_built_in(module: str) -> bool:
    return module.startswith(("node:", "bun:")) or modules.dependency(module) in BUILT_IN
