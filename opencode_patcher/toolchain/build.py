"""Upstream's own build of one binary for this machine."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher import full_disk, process, store
from opencode_patcher.errors import BuildError, ProcessError
from opencode_patcher.progress import Reporter
from opencode_patcher.toolchain import dependencies
from opencode_patcher.toolchain.bun import Bun
from opencode_patcher.upstream.tree import Tree
from opencode_patcher.upstream.workspace import PROGRAM

CHANNEL = "latest"
"""Any channel but latest, beta and prod opens another database (packages/core/src/database/database.ts)."""


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """What goes into the binary besides the tree.

    ``version`` is the release's number without ``v``; with any other one OpenCode could not find the plugin
    package of its own version (packages/opencode/src/config/config.ts). ``models_json`` is the models
    catalogue.
    """

    version: str
    models_json: Path
    web_ui: bool = False
    channel: str = CHANNEL


@dataclass(frozen=True, kw_only=True)
class Binary:
    """A built program: where it lies, the version it was built as, its SHA-256, and the build's wall time."""

    path: Path
    version: str
    sha256: str
    seconds: float


def build(bun: Bun, tree: Tree, options: BuildOptions, reporter: Reporter, log: Path) -> Binary:
    """Run ``bun run build`` in the tree, whose dependencies are installed, and find the binary.

    The same tree at the same path with the same options and bun gives the same bytes. Raises BuildError
    with the end of the build's output when it fails; ``log`` holds all of it.
    """
    program = tree.path / PROGRAM
    store.make_directory(log.parent)
    with reporter.phase(f"Building {options.version}") as phase, tempfile.TemporaryDirectory() as scratch:
        try:
            done = process.run(
                [bun.path, "run", "build", *arguments(options)],
                cwd=program,
                env=environment(bun, options, Path(scratch)),
                log=log,
                reporter=reporter,
            )
        except ProcessError as error:
            if full := full_disk.explained(error, "OpenCode's build failed."):
                raise full from error
            raise BuildError(
                "OpenCode's build failed.",
                why=error.why,
                next_step=_next_step(options, log),
            ) from error
        path = _find(program / "dist", options.version, log)
        phase.detail(f"{path.stat().st_size / 1e6:.0f} MB")
    return Binary(path=path, version=options.version, sha256=sha256(path), seconds=done.seconds)


def arguments(options: BuildOptions) -> tuple[str, ...]:
    """The flags of upstream's packages/opencode/script/build.ts."""
    return ("--single", "--skip-install", *(() if options.web_ui else ("--skip-embed-web-ui",)))


def environment(bun: Bun, options: BuildOptions, scratch: Path) -> dict[str, str | None]:
    """Variables that upstream's build reads, set or taken away so that the user's do not change the result.

    Upstream starts the new binary once; ``scratch`` keeps what it writes then out of the user's directories.
    """
    foreign = {name: None for name in os.environ if name.startswith(("OPENCODE_", "VITE_"))}
    return {
        **dependencies.environment(bun),
        **foreign,
        "OPENCODE_VERSION": options.version,
        "OPENCODE_CHANNEL": options.channel,
        "MODELS_DEV_API_JSON": str(options.models_json.absolute()),
        **{f"XDG_{kind}_HOME": str(scratch / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA", "STATE")},
    }


def sha256(path: Path) -> str:
    """A file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _find(dist: Path, version: str, log: Path) -> Path:
    """The one binary under ``dist``. Upstream writes the version it was built as beside it."""
    found = [path for path in dist.glob("opencode-*/bin/opencode*") if path.suffix in ("", ".exe")]
    if len(found) != 1:
        raise BuildError(
            "OpenCode's build left no binary where it is expected.",
            why=f"Under {dist} there are {len(found)} files named opencode-*/bin/opencode.",
            next_step=f"The build's output is in {log}.",
        )
    about = found[0].parent.parent / "package.json"
    try:
        built = json.loads(about.read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildError(
            "OpenCode's build does not say which version it built.",
            why=f"{about}: {type(error).__name__}: {error}",
            next_step=f"The build's output is in {log}.",
        ) from error
    if built != version:
        raise BuildError(
            f"OpenCode's build made version {built} instead of {version}.",
            why="It does not follow OPENCODE_VERSION any more.",
            next_step=f"The build's output is in {log}.",
        )
    return found[0]


def _next_step(options: BuildOptions, log: Path) -> str:
    without = "If it is the web UI: opencode-patcher build --no-web-ui\n" if options.web_ui else ""
    return f"{without}The whole output is in {log}."
