"""Which of upstream's packages a build needs, from the text of their ``package.json`` files. Pure.

Upstream is a bun workspace of some thirty packages. A build of ``packages/opencode`` needs the packages it depends on
with ``workspace:``, transitively. bun also refuses to install if a package is missing that the root names without a
wildcard or depends on.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from opencode_patcher.base import documents
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.upstream import remote

ROOT = "package.json"

DEPENDENCY_FIELDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_WILDCARDS = frozenset("*?[{!")
_ELSEWHERE = re.compile(r"(?:github|gitlab|bitbucket|git|git\+\w+|https?|ssh):|[\w.-]+/[\w.-]+(?:#|$)")
"""What bun does not take from a registry or the disk (bun's documentation, "Non-npm dependencies")."""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The packages that a build needs, as sorted directories in the repository, and two versions from the release.

    ``line`` says which package is built. ``bun`` is the version that the root's ``packageManager`` asks for,
    ``version`` the program's own. ``elsewhere`` maps the dependencies that come neither from the npm registry nor from
    the repository to what their package.json asks for (``github:owner/name#commit``).
    """

    line: Line
    packages: tuple[str, ...]
    bun: str
    version: str
    elsewhere: Mapping[str, str] = field(default_factory=dict)


class NoWebUIError(SourceError):
    """The release has no web UI."""


def closure(texts: Mapping[str, str], line: Line = OPENCODE_1, *, web_ui: bool = False) -> Workspace:
    """The workspace that a build of the line's package needs; with ``web_ui``, of its web UI too.

    ``texts`` maps the repository path of every ``package.json`` to its text; those outside the root's workspace globs
    are ignored. Raises SourceError when the source is not OpenCode's.
    """
    root = _parse(texts, ROOT)
    program = _parse(texts, f"{line.package}/package.json")
    if program.get("name") != line.package_name:
        raise _not_opencode(
            f"{line.package}/package.json has the name {program.get('name')!r} instead of {line.package_name!r}"
        )
    manager = root.get("packageManager")
    bun = re.match(r"bun@(\d+\.\d+\.\d+)", manager) if isinstance(manager, str) else None
    if bun is None:
        raise _not_opencode(f"the root package.json has packageManager {manager!r}, expected bun@ and a version")

    globs = workspace_globs(root)
    members = {
        directory: _parse(texts, f"{directory}/package.json")
        for path in sorted(texts)
        if path.endswith(f"/{ROOT}") and _is_member(directory := path.removesuffix(f"/{ROOT}"), globs)
    }
    if web_ui and line.web_ui not in members:
        raise NoWebUIError(
            "This release has no web UI to embed.",
            why=f"There is no workspace package {line.web_ui}.",
            next_step="Run the same command with --web-ui off.",
        )
    by_name = {str(manifest["name"]): path for path, manifest in members.items() if "name" in manifest}
    found: set[str] = set()
    todo = [line.package, *([line.web_ui] if web_ui else []), *_literal(globs, members), *_needed(root, ROOT, by_name)]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo.extend(_needed(members.get(path, program), f"{path}/package.json", by_name))
    return Workspace(
        line=line,
        packages=tuple(sorted(found)),
        bun=bun[1],
        version=str(program.get("version", "")),
        elsewhere=_elsewhere([members.get(path, program) for path in sorted(found)], _catalog(root)),
    )


def workspace_globs(root: Mapping[str, object]) -> tuple[str, ...]:
    """The root's ``workspaces``: an array in npm, in bun also an object with ``packages``."""
    value = root.get("workspaces")
    if isinstance(value, dict):
        value = value.get("packages")
    if not isinstance(value, list) or not all(isinstance(glob, str) for glob in value):
        raise _not_opencode("the root package.json has no workspaces")
    return tuple(glob.removeprefix("./").rstrip("/") for glob in value)


def _catalog(root: Mapping[str, object]) -> dict[str, str]:
    """The versions that packages name with ``catalog:`` (bun's documentation, "Catalogs")."""
    workspaces = root.get("workspaces")
    entries = workspaces.get("catalog") if isinstance(workspaces, dict) else root.get("catalog")
    return {name: str(wanted) for name, wanted in entries.items()} if isinstance(entries, dict) else {}


def _elsewhere(manifests: Iterable[Mapping[str, object]], catalog: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for manifest in manifests:
        for kind in DEPENDENCY_FIELDS:
            dependencies = manifest.get(kind)
            for name, wanted in dependencies.items() if isinstance(dependencies, dict) else ():
                said = catalog.get(name, "") if wanted == "catalog:" else str(wanted)
                if _ELSEWHERE.match(said):
                    found[name] = said
    return found


def _is_member(directory: str, globs: Iterable[str]) -> bool:
    member = False
    for glob in globs:
        if _matches(directory, glob.removeprefix("!")):
            member = not glob.startswith("!")
    return member


def _matches(directory: str, glob: str) -> bool:
    return _segments_match(directory.split("/"), glob.split("/"))


def _segments_match(path: list[str], glob: list[str]) -> bool:
    """A ``*`` stays inside one path segment; ``**`` stands for any number of them."""
    if not glob:
        return not path
    if glob[0] == "**":
        return any(_segments_match(path[skip:], glob[1:]) for skip in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatchcase(path[0], glob[0]) and _segments_match(path[1:], glob[1:])


def _literal(globs: Iterable[str], members: Mapping[str, object]) -> Iterator[str]:
    return (glob for glob in globs if not _WILDCARDS & set(glob) and glob in members)


def _needed(manifest: Mapping[str, object], path: str, by_name: Mapping[str, str]) -> Iterator[str]:
    for kind in DEPENDENCY_FIELDS:
        dependencies = manifest.get(kind)
        for name, wanted in dependencies.items() if isinstance(dependencies, dict) else ():
            if not str(wanted).startswith("workspace:"):
                continue
            if name not in by_name:
                raise SourceError(
                    "The packages of the source do not fit together.",
                    why=f"{path} needs {name} from the workspace, and no package there has that name.",
                    next_step="Build another release.",
                )
            yield by_name[name]


def _parse(texts: Mapping[str, str], path: str) -> dict[str, object]:
    if path not in texts:
        raise _not_opencode(f"it has no {path}")
    try:
        return documents.parse(texts[path], dict[str, object])
    except DocumentError as error:
        raise _not_opencode(f"{path}: {error}") from error


def _not_opencode(reason: str) -> SourceError:
    return SourceError(
        "The source is not OpenCode, or it is a version that this tool does not know.",
        why=f"Reason: {reason}.",
        next_step=f"Name OpenCode's repository or a copy of it with --source. {remote.DEMO_HINT}",
    )
