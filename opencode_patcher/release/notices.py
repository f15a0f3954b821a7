"""``THIRD-PARTY-NOTICES.txt``: the licences of everything that is compiled into a binary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.toolchain.bun_lock import Package

FILE_NAME = "THIRD-PARTY-NOTICES.txt"
_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice)([-_.].*)?", re.IGNORECASE)
_RULE = "-" * 80

RUNTIME = """\
The program contains the runtime of bun {bun} (https://bun.sh), which is under the MIT license. bun links
JavaScriptCore and other parts of WebKit statically, which are under the GNU Library General Public License 2 (LGPL-2),
and further libraries. Their list, and how to relink bun with a changed WebKit, is in bun's documentation:
https://bun.sh/docs/project/licensing
"""


@dataclass(frozen=True, kw_only=True)
class Licence:
    """What an npm package says about its licence: the name in its package.json, "" for none, and the texts in it."""

    name: str
    version: str
    declared: str
    texts: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.name}@{self.version}"


def collect(closure: Iterable[Package], installed: Mapping[tuple[str, str], Path]) -> tuple[Licence, ...]:
    """The licences of the packages of a closure that are installed; upstream's own are under upstream's licence.

    ``installed`` gives the directory by name and version. Raises OSError when a text cannot be read.
    """
    found = {
        (package.name, package.version): licence_of(package.name, package.version, directory)
        for package in closure
        if not package.workspace and (directory := installed.get((package.name, package.version)))
    }
    return tuple(found[key] for key in sorted(found))


def licence_of(name: str, version: str, directory: Path) -> Licence:
    """Read the licence of an installed package."""
    manifest = documents.read(directory / "package.json", dict[str, object])
    licences = sorted(path for path in directory.iterdir() if _LICENCE_FILE.fullmatch(path.name) and path.is_file())
    texts = (files.read_text(path, errors="replace").replace("\r\n", "\n").strip() for path in licences)
    return Licence(name=name, version=version, declared=declared(manifest), texts=tuple(filter(None, texts)))


def declared(manifest: Mapping[str, object]) -> str:
    """The licence that a package.json names, as an SPDX expression where the package uses one.

    Old packages give an object with ``type``, or a list of such objects under ``licenses``.
    """
    value = manifest.get("license") or manifest.get("licenses") or ""
    entries = value if isinstance(value, list) else [value]
    names = [str(entry.get("type", "")) if isinstance(entry, dict) else str(entry) for entry in entries]
    return " OR ".join(filter(None, names))


def text(opencode: str, version: str, bun: str, licences: Sequence[Licence]) -> str:
    """The notices: OpenCode's own licence (``opencode``), bun's, and those of the packages. Pure.

    Packages with the same text share it. Packages that name a licence but do not include its text are listed as such.
    """
    shared: dict[tuple[str, ...], list[Licence]] = {}
    for licence in licences:
        if licence.texts:
            shared.setdefault(licence.texts, []).append(licence)
    parts = [
        f"Notices for OpenCode {version} with combined models, built by opencode-patcher.\n",
        _section("OpenCode, and the changes by opencode-patcher (MIT)", opencode.strip() + "\n"),
        _section(f"bun {bun}", RUNTIME.format(bun=bun)),
        *(
            _section("\n".join(f"{one.title} ({one.declared or 'names no licence'})" for one in group), body(texts))
            for texts, group in shared.items()
        ),
    ]
    silent = [licence for licence in licences if not licence.texts]
    if named := [licence for licence in silent if licence.declared]:
        lines = "".join(f"{licence.title}: {licence.declared}\n" for licence in named)
        parts.append(_section("Packages that name a licence but do not include its text", lines))
    if unnamed := [licence for licence in silent if not licence.declared]:
        lines = "".join(f"{licence.title}\n" for licence in unnamed)
        parts.append(_section("Packages that neither name nor include a licence", lines))
    return "\n".join(parts)


def body(texts: Sequence[str]) -> str:
    """The texts of one package, one after the other."""
    return "\n\n".join(texts) + "\n"


def _section(title: str, content: str) -> str:
    return f"{_RULE}\n{title}\n{_RULE}\n\n{content}"
