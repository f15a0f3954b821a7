"""What a TypeScript module imports and exports, and which file a module name means: by patterns, no grammar. Pure.

Good enough for formatted code, where each import and export statement starts at the left margin.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from opencode_patcher.base import documents
from opencode_patcher.base.documents import DocumentError

PROGRAM = "packages/opencode"
"""The package that our new files belong to."""

ALIASES = {"@/": f"{PROGRAM}/src/"}
"""Prefixes of module names that upstream's tsconfig.json of that package maps to a directory."""

WORKSPACE_PREFIXES = ("@opencode-ai/", "@opencode/")
"""How module names of upstream's own packages begin; the package of that name is in ``packages/``."""

ENDING = ".js"
"""What may be written behind the path of a module for the ``.ts`` that it is made of."""

SUFFIXES = ("", ".ts", ".tsx", "/index.ts", "/index.tsx")
"""What may follow an import's path, in the order in which a bundler tries it."""

_STATEMENT = re.compile(
    r"^(?P<keyword>import|export)\s+(?P<type>type\s+)?(?P<what>\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?|[\w$]+(?:\s*,\s*\{[^}]*\})?)"
    r"\s*from\s*[\"'](?P<module>[^\"']+)[\"']",
    re.MULTILINE,
)
_DECLARED = re.compile(
    r"^export\s+(?:declare\s+|abstract\s+|async\s+)*"
    r"(?:const\s+enum|const|let|var|function\s*\*?|class|type|interface|enum|namespace)\s+(?P<name>[\w$]+)",
    re.MULTILINE,
)
_PATTERN = re.compile(r"^export\s+(?:const|let|var)\s+\{(?P<names>[^}]*)\}", re.MULTILINE)
_LISTED = re.compile(r"^export\s+(?:type\s+)?\{(?P<names>[^}]*)\}(?!\s*from)", re.MULTILINE)
_DEFAULT = re.compile(r"^export\s+default\b", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Import:
    """One imported name. ``name`` is what the module calls it ("*" for all of it, "default"), ``local`` what it is
    called here.
    """

    module: str
    name: str
    local: str


@dataclass(frozen=True, kw_only=True)
class Exports:
    """What a module exports. ``namespaces`` maps a name to the module that it stands for (``export * as X from``),
    ``passed`` one to what it is in another module (``export { X } from``; it is in ``names`` too), and ``stars`` are
    modules that it re-exports entirely.
    """

    names: frozenset[str]
    namespaces: dict[str, str] = field(default_factory=dict)
    passed: dict[str, Import] = field(default_factory=dict)
    stars: tuple[str, ...] = ()


def imports(text: str) -> tuple[Import, ...]:
    """The imported names of a module, in the order of the file."""
    return tuple(
        found
        for match in _STATEMENT.finditer(text)
        if match.group("keyword") == "import"
        for found in _imported(match.group("what"), match.group("module"))
    )


def exports(text: str) -> Exports:
    """The exported names of a module."""
    names = {match.group("name") for match in _DECLARED.finditer(text)}
    names.update("default" for _ in _DEFAULT.finditer(text))
    for match in (*_PATTERN.finditer(text), *_LISTED.finditer(text)):
        names.update(last for _, last in _pairs(match.group("names")))
    namespaces: dict[str, str] = {}
    passed: dict[str, Import] = {}
    stars: list[str] = []
    for match in _STATEMENT.finditer(text):
        if match.group("keyword") == "import":
            continue
        what, module = match.group("what"), match.group("module")
        if what == "*":
            stars.append(module)
        elif what.startswith("*"):
            namespaces[what.split()[-1]] = module
        else:
            passed |= {found.local: found for found in _imported(what, module)}
    return Exports(names=frozenset({*names, *passed}), namespaces=namespaces, passed=passed, stars=tuple(stars))


def members(code: str, local: str) -> frozenset[str]:
    """The names that code (without comments and strings) uses of a namespace: ``b`` for every ``local.b``."""
    return frozenset(re.findall(rf"(?<![\w$.]){re.escape(local)}\.([A-Za-z_$][\w$]*)", code))


Read = Callable[[str], str | None]
"""Returns the text of a file by its path in the repository; None when there is none."""


def resolve(module: str, importer: str, read: Read) -> str | None:
    """The path of the file that ``module`` means in the file ``importer``; None when there is none.

    Only for modules of upstream's own repository, see ``is_internal``.
    """
    for place in _places(module, importer, read):
        for suffix in SUFFIXES:
            path = place + suffix
            if path.endswith((".ts", ".tsx")) and read(path) is not None:
                return path
    return None


def is_internal(module: str) -> bool:
    """Whether a module is in upstream's repository, not in one of its dependencies."""
    return module.startswith((".", *WORKSPACE_PREFIXES, *ALIASES))


def dependency(module: str) -> str:
    """The package that a module of a dependency belongs to."""
    parts = module.split("/")
    return "/".join(parts[:2]) if module.startswith("@") else parts[0]


def _places(module: str, importer: str, read: Read) -> Iterator[str]:
    if module.startswith("."):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(importer), module))
        yield path.removesuffix(ENDING)
        return
    for prefix, directory in ALIASES.items():
        if module.startswith(prefix):
            yield directory + module.removeprefix(prefix)
            return
    prefix = next(prefix for prefix in WORKSPACE_PREFIXES if module.startswith(prefix))
    name, _, below = module.removeprefix(prefix).partition("/")
    package = f"packages/{name}"
    for target in _package_exports(read(f"{package}/package.json") or "{}", f"./{below}" if below else "."):
        yield posixpath.normpath(posixpath.join(package, target))


def _package_exports(manifest: str, wanted: str) -> list[str]:
    """Where the ``exports`` of a package.json lead for ``.`` or ``./sub/path`` (Node's rules, all conditions)."""
    try:
        table = documents.parse(manifest, dict[str, object]).get("exports", {})
    except DocumentError:
        return []
    if not isinstance(table, dict):
        table = {".": table}
    if wanted in table:
        return _targets(table[wanted])
    found: list[str] = []
    for pattern, value in table.items():
        head, star, tail = pattern.partition("*")
        if star and wanted.startswith(head) and wanted.endswith(tail) and len(wanted) >= len(head) + len(tail):
            middle = wanted[len(head) : len(wanted) - len(tail)]
            found += [target.replace("*", middle) for target in _targets(value)]
    return found


def _targets(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [target for child in children for target in _targets(child)]


def _imported(what: str, module: str) -> Iterator[Import]:
    default, brace, names = what.partition("{")
    default = default.strip().rstrip(",").strip()
    if default.startswith("*"):
        yield Import(module=module, name="*", local=default.split()[-1])
    elif default:
        yield Import(module=module, name="default", local=default)
    if brace:
        for name, local in _pairs(names.rstrip("}")):
            yield Import(module=module, name=name, local=local)


def _pairs(names: str) -> Iterator[tuple[str, str]]:
    """The names in ``a, type b, c as d, e: f``, each with its new name."""
    for entry in re.sub(r"//[^\n]*|/\*.*?\*/", "", names, flags=re.DOTALL).split(","):
        words = re.sub(r"\btype\s+(?=[\w$])", "", entry).replace(":", " as ").split()
        if words:
            yield words[0], words[-1]
