"""The command line in processes of its own, and the small upstream that it is pointed at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opencode_patcher.base.line import OPENCODE_1
from tests import forks
from tests.upstream.fake_upstream import WORKSPACE, Upstream, manifest

Completed = subprocess.CompletedProcess[str]

LAUNCHER = Path(__file__).with_name("launcher.py")

CORE = "packages/core/src/core.ts"

PATCH = f"""\
Subject: Say more
Why: The tests need a patch that fits.
Obsolete-When: never
Touches: {CORE}

diff --git a/{CORE} b/{CORE}
--- a/{CORE}
+++ b/{CORE}
@@ -1,1 +1,2 @@
 export const core = 1
+export const patched = "[= release_tag =]"
"""

BUILD_SCRIPT = """\
import { chmodSync, mkdirSync, writeFileSync } from "fs"
const out = `dist/opencode-${process.platform}-${process.arch}`
mkdirSync(`${out}/bin`, { recursive: true })
writeFileSync(`${out}/package.json`, JSON.stringify({ version: process.env.OPENCODE_VERSION }))
writeFileSync(`${out}/bin/opencode`, `#!/bin/sh\\necho ${process.env.OPENCODE_VERSION}\\n`)
chmodSync(`${out}/bin/opencode`, 0o755)
"""

FAILING_SCRIPT = """\
console.log("compiling")
for (let n = 0; n < 200; n++) console.log(`step ${n}`)
console.error("error: Cannot find module 'left'")
process.exit(1)
"""


MakeUpstream = Callable[..., Upstream]


def program(script: str) -> dict[str, str]:
    """Files of an upstream that needs no package from elsewhere and is built with ``script``."""
    return {
        **WORKSPACE,
        "packages/opencode/package.json": manifest(
            "opencode",
            version="1.17.90",
            scripts={"build": "bun run script/build.ts"},
            dependencies={"@opencode-ai/core": "workspace:*"},
        ),
        "packages/opencode/script/build.ts": script,
        ".gitignore": "node_modules\ndist\n",
    }


@dataclass
class CommandLine:
    """Runs ``opencode-patcher`` in processes of its own, with a store and a HOME of the test's."""

    store: Path
    root: Path
    """The directory with its patches and templates."""
    fork: forks.Start
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def patches(self) -> Path:
        return self.root / "patches" / OPENCODE_1.patches

    @property
    def templates(self) -> Path:
        return self.root / "templates"

    def argv(self, *arguments: str | Path) -> list[str]:
        """The same as a new process, for a script."""
        return [sys.executable, str(LAUNCHER), str(self.root), *map(str, arguments)]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "OPENCODE_PATCHER_HOME": str(self.store), **self.variables}

    def start(self, *arguments: str | Path) -> forks.Fork:
        return self.fork([str(argument) for argument in arguments], env=self.environment(), stand_in=self.root)

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments)
        out, err = process.communicate()
        assert "Traceback" not in out + err, err
        return subprocess.CompletedProcess(process.args, process.wait(), out, err)

    def build(self, upstream: Upstream, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """``build`` the small upstream's v1.17.90 with the small catalogue."""
        return self("build", "v1.17.90", *self.to_build(upstream), *arguments)

    def to_build(self, upstream: Upstream) -> tuple[str | Path, ...]:
        return ("--source", upstream.source, "--catalog", self.root / "models.json")


def assert_refused(done: Completed, code: int, *said: str) -> None:
    """The run failed as it should: its error comes last on the screen, in several parts, with all of ``said``."""
    _, _, error = done.stderr.partition("Error: ")
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert len(error.splitlines()) >= 2, error
    for text in said:
        assert text in error


def assert_built(done: Completed) -> None:
    assert done.returncode == 0, done.stderr
    assert "OpenCode 1.17.90 with combined models" in done.stdout


def leftovers(store: Path) -> list[Path]:
    """What a step that ended in the middle would leave."""
    rooms = [store, *(store / room for room in ("sources", "trees", "toolchains", "builds"))]
    found = [path for room in rooms if room.is_dir() for path in room.iterdir()]
    return [path for path in found if path.name.startswith(".") and path.name != ".opencode-patcher-store"]
