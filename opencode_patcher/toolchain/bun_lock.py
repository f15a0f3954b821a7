"""Upstream's ``bun.lock``: which package in which version each dependency resolves to. Pure.

The file is JSON with trailing commas. ``packages`` maps a place to ``[name@version, registry, details, integrity]``; a
place is a package's name, prefixed with the package that needs a different version of it than the rest
(``glob/minimatch``). Source: bun's documentation of its text lock file, version 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from opencode_patcher.base import documents, jsonc
from opencode_patcher.base.errors import ToolchainError

_NAME = re.compile(r"@[^/]+/[^/]+|[^/]+")
_WORKSPACE = "workspace:"


@dataclass(frozen=True, kw_only=True)
class Package:
    """One locked package. ``workspace`` is its directory when it is upstream's own.

    ``integrity`` is a subresource integrity value, empty for upstream's own packages. ``systems`` and ``machines`` are
    npm's names (``win32``, ``arm64``) of where it can be installed, empty for everywhere; ``none`` is bun's word for a
    machine that it does not know. ``needs`` are the places of its dependencies, ``optional`` of its optional ones; only
    places that the lock has.
    """

    place: str
    name: str
    version: str
    integrity: str = ""
    workspace: str = ""
    systems: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def native(self) -> bool:
        """Whether it is for some platforms only."""
        return bool(self.systems or self.machines)


@dataclass(frozen=True, kw_only=True)
class BunLock:
    """The whole lock: packages by place, and upstream's own patches to packages by ``name@version``."""

    packages: Mapping[str, Package]
    patched: Mapping[str, str]

    def production(self, root: str, *, embedded: str = "") -> tuple[Package, ...]:
        """Everything that the workspace package ``root`` depends on at run time, itself first, then by place.

        ``embedded`` is the directory of a workspace package that is built into it as well, with what it depends on.
        Upstream lists some of its own packages among the root's development dependencies though the program imports
        them (``@opencode-ai/core``); those are followed too. Raises ToolchainError when the lock has no such package.
        """
        if root not in self.packages:
            raise _unusable(f"It has no package called {root}.")
        also = [package.place for package in self.packages.values() if embedded and package.workspace == embedded]
        first = replace(self.packages[root], needs=(*self.packages[root].needs, *also))
        found: set[str] = set()
        todo = [root]
        while todo:
            place = todo.pop()
            if place not in found:
                found.add(place)
                package = first if place == root else self.packages[place]
                todo += [*package.needs, *package.optional]
        found.remove(root)
        return (first, *(self.packages[place] for place in sorted(found)))


def parse(text: str) -> BunLock:
    """Read the text of a ``bun.lock``. Raises ToolchainError when it is malformed or of an unknown version."""
    try:
        data = documents.shaped(jsonc.loads(text), dict[str, Any])
        if data["lockfileVersion"] not in (0, 1):
            raise ValueError(f"its version is {data['lockfileVersion']}; only 0 and 1 are known")
        entries: dict[str, list[Any]] = data["packages"]
        return BunLock(
            packages={place: _package(place, entry, entries, data["workspaces"]) for place, entry in entries.items()},
            patched=dict(data.get("patchedDependencies", {})),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise _unusable(f"{type(error).__name__}: {error}") from error


def _package(place: str, entry: list[Any], entries: Mapping[str, Any], workspaces: Mapping[str, Any]) -> Package:
    name, _, version = str(entry[0]).rpartition("@")
    if version.startswith(_WORKSPACE) or f"@{_WORKSPACE}" in entry[0]:
        name, _, directory = str(entry[0]).partition(f"@{_WORKSPACE}")
        about = workspaces[directory]
        own = {key for key in about.get("devDependencies", {}) if _is_workspace(entries.get(key))}
        return Package(
            place=place,
            name=name,
            version=str(about.get("version", "")),
            workspace=directory,
            needs=_resolved(place, [*about.get("dependencies", {}), *own], entries),
            optional=_resolved(place, about.get("optionalDependencies", {}), entries),
        )
    details = next((part for part in entry if isinstance(part, dict)), {})
    skipped = set(details.get("optionalPeers", ()))
    peers = [peer for peer in details.get("peerDependencies", {}) if peer not in skipped]
    return Package(
        place=place,
        name=name,
        version=version,
        integrity=str(entry[-1]) if str(entry[-1]).startswith("sha") else "",
        systems=_words(details.get("os")),
        machines=_words(details.get("cpu")),
        needs=_resolved(place, [*details.get("dependencies", {}), *peers], entries),
        optional=_resolved(place, details.get("optionalDependencies", {}), entries),
    )


def _is_workspace(entry: list[Any] | None) -> bool:
    return entry is not None and f"@{_WORKSPACE}" in str(entry[0])


def _resolved(place: str, names: Any, entries: Mapping[str, Any]) -> tuple[str, ...]:
    """The places of dependencies as seen from ``place``: the nearest one is used, as with ``node_modules``."""
    found = (next((at for at in _places(place, name) if at in entries), None) for name in names)
    return tuple(sorted({at for at in found if at is not None}))


def _places(place: str, name: str) -> Iterator[str]:
    path = _NAME.findall(place)
    for length in range(len(path), 0, -1):
        yield "/".join([*path[:length], name])
    yield name


def _words(value: Any) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _unusable(why: str) -> ToolchainError:
    return ToolchainError(
        "The release's bun.lock is not understood.", why=why, next_step="Build another release, or a newer tool."
    )
