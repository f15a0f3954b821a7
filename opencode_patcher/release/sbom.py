"""``sbom.cdx.json``: a CycloneDX 1.6 bill of materials.

The root component is OpenCode with our patches as its pedigree; the others are the production dependencies of
OpenCode's package, from upstream's ``bun.lock``, bun's runtime and the models catalogue. It has no time, and its serial
number is derived from what was built, so that the same release has the same bill. Source of the format: the CycloneDX
1.6 specification (https://cyclonedx.org/docs/1.6/json/).
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from opencode_patcher.patchset.series import Patch
from opencode_patcher.release.manifest import TOOL, Manifest
from opencode_patcher.release.notices import Licence
from opencode_patcher.toolchain.bun_lock import BunLock, Package

FILE_NAME = "sbom.cdx.json"
SPECIFICATION = "1.6"
_NAMESPACE = uuid.UUID("a5a1c29f-3d3c-5ad6-9b6c-6c2e3f0f5d11")
"""The namespace of the serial numbers (RFC 9562, version 5); any constant will do."""

_GITHUB = re.compile(r"github:([\w.-]+/[\w.-]+)#([\w.-]+)")
"""The version of a package that bun fetches from GitHub."""

_SPDX_IDS = Path(__file__).with_name("spdx-ids.txt")
_ALGORITHMS = {"sha512": "SHA-512", "sha384": "SHA-384", "sha256": "SHA-256", "sha1": "SHA-1"}


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the bill is made from.

    ``closure`` is ``BunLock.production`` of OpenCode's package, which comes first in it; ``new_files`` are the files
    that we add, text by path.
    """

    manifest: Manifest
    lock: BunLock
    closure: Sequence[Package]
    licences: Sequence[Licence]
    patches: Sequence[Patch]
    new_files: Mapping[str, str]


def spdx_ids() -> frozenset[str]:
    """The SPDX ids of licences that npm packages use; only ids from SPDX's list may be used as such in a bill."""
    return frozenset(_SPDX_IDS.read_text(encoding="utf-8").split())


def document(contents: Contents, ids: frozenset[str]) -> dict[str, object]:
    """The bill as JSON data. ``ids`` are the licences that may stand as an ``id`` (``spdx_ids``)."""
    manifest = contents.manifest
    libraries = contents.closure[1:]
    declared = {(licence.name, licence.version): licence.declared for licence in contents.licences}
    root = _root(contents)
    runtime = _runtime(manifest)
    catalogue = {
        "type": "data",
        "bom-ref": "models-catalogue",
        "name": "models.dev catalogue",
        "hashes": [{"alg": "SHA-256", "content": manifest.catalogue}],
    }
    refs = {package.place: _ref(package) for package in contents.closure} | {contents.closure[0].place: root["bom-ref"]}
    needed = _edges(contents.closure, refs)
    needed[str(root["bom-ref"])] |= {str(runtime["bom-ref"]), str(catalogue["bom-ref"])}
    components = {
        _ref(package): _component(package, declared, contents.lock.patched, manifest, ids) for package in libraries
    }
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPECIFICATION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, _identity(manifest))}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": TOOL, "version": manifest.tool_version}]},
            "component": root,
        },
        "components": [runtime, catalogue, *(components[ref] for ref in sorted(components))],
        "dependencies": [{"ref": ref, "dependsOn": sorted(needed[ref])} for ref in sorted(needed)],
    }


def _identity(manifest: Manifest) -> str:
    """What distinguishes one release from another."""
    artifacts = [f"{artifact.target}={artifact.binary.sha256}" for artifact in manifest.artifacts]
    return " ".join([manifest.release.commit, manifest.patchset, manifest.tool_version, *artifacts])


def _root(contents: Contents) -> dict[str, object]:
    release = contents.manifest.release
    address = contents.manifest.source
    return {
        "type": "application",
        "bom-ref": f"opencode@{release.number}",
        "name": "opencode",
        "version": release.number,
        "description": "OpenCode with combined models",
        "licenses": [{"license": {"id": "MIT"}}],
        "pedigree": {
            "commits": [{"uid": release.commit, "url": address, "message": f"OpenCode {release.tag}"}],
            "patches": [*map(_patch, contents.patches), _added(contents.new_files)],
            "notes": f"OpenCode {release.tag} with the patch set {contents.manifest.patchset}.",
        },
    }


def _patch(patch: Patch) -> dict[str, object]:
    return _pedigree_patch(
        name=patch.name,
        subject=patch.header.subject,
        why=f"{patch.header.why}\nObsolete when: {patch.header.obsolete_when}",
        diff=patch.text[patch.text.index("diff --git ") :],
    )


def _added(files: Mapping[str, str]) -> dict[str, object]:
    return _pedigree_patch(
        name="new-files",
        subject="The code that the patches call",
        why="All logic is in separate files, so that the patches to upstream's files stay a few lines long.",
        diff="".join(addition(path, files[path]) for path in sorted(files)),
    )


def _pedigree_patch(*, name: str, subject: str, why: str, diff: str) -> dict[str, object]:
    return {
        "type": "unofficial",
        "diff": {"text": {"contentType": "text/x-diff", "content": diff}},
        "resolves": [{"type": "enhancement", "id": name, "name": subject, "description": why}],
    }


def addition(path: str, content: str) -> str:
    """A unified diff that makes a new file. An empty file has a header only."""
    lines = content.splitlines(keepends=True)
    head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n"
    if not lines:
        return head
    body = "".join(f"+{line}" for line in lines)
    end = "" if content.endswith("\n") else "\n\\ No newline at end of file\n"
    return f"{head}--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n{body}{end}"


def _runtime(manifest: Manifest) -> dict[str, object]:
    purl = f"pkg:npm/bun@{manifest.bun}"
    return {
        "type": "platform",
        "bom-ref": purl,
        "name": "bun",
        "version": manifest.bun,
        "purl": purl,
        "licenses": [{"license": {"id": "MIT"}}],
    }


def _component(
    package: Package,
    declared: Mapping[tuple[str, str], str],
    patched: Mapping[str, str],
    manifest: Manifest,
    ids: frozenset[str],
) -> dict[str, object]:
    made: dict[str, object] = {
        "type": "library",
        "bom-ref": _ref(package),
        "name": package.name,
        "version": package.version or manifest.release.number,
        # A native package is only in the binaries of its own platform.
        "scope": "optional" if package.native else "required",
        "licenses": _licences("MIT" if package.workspace else declared.get((package.name, package.version), ""), ids),
    }
    if not package.workspace:
        made |= {"purl": _ref(package), "hashes": hashes(package.integrity)}
    if patch := patched.get(f"{package.name}@{package.version}"):
        made["pedigree"] = {"patches": [{"type": "unofficial"}], "notes": f"Changed by upstream's own {patch}."}
    return {key: value for key, value in made.items() if value != []}


def _licences(name: str, ids: frozenset[str]) -> list[dict[str, object]]:
    """A licence in the form that fits best: an id, an expression of ids, or a name. SPDX ids ignore case."""
    known = {spdx.casefold(): spdx for spdx in ids}
    if spdx := known.get(name.casefold()):
        return [{"license": {"id": spdx}}]
    words = [word for word in re.split(r"[\s()]+", name) if word and word not in ("AND", "OR", "WITH")]
    if len(words) > 1 and ids.issuperset(words):
        return [{"expression": name}]
    return [{"license": {"name": name}}] if name else []


def hashes(integrity: str) -> list[dict[str, str]]:
    """A subresource integrity value as CycloneDX hashes, in hexadecimal."""
    found = []
    for entry in integrity.split():
        algorithm, _, digest = entry.partition("-")
        if algorithm in _ALGORITHMS:
            found.append({"alg": _ALGORITHMS[algorithm], "content": base64.b64decode(digest).hex()})
    return found


def _ref(package: Package) -> str:
    """The package URL (https://github.com/package-url/purl-spec), or the directory of one of upstream's own
    packages."""
    if package.workspace:
        return f"workspace:{package.workspace}"
    if found := _GITHUB.fullmatch(package.version):
        return f"pkg:github/{found[1].lower()}@{found[2]}"
    return f"pkg:npm/{quote(package.name, safe='/')}@{quote(package.version, safe='')}"


def _edges(closure: Sequence[Package], refs: Mapping[str, object]) -> dict[str, set[str]]:
    """What each component depends on. Places in the lock with the same version are one component."""
    edges: dict[str, set[str]] = {}
    for package in closure:
        edges.setdefault(str(refs[package.place]), set()).update(
            str(refs[place]) for place in (*package.needs, *package.optional) if place in refs
        )
    return edges
