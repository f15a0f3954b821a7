"""Upstream's own build, of one binary for this machine or of binaries for many platforms."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import documents, files, full_disk, process, scratch
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.errors import BuildError, ProcessError
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.base.progress import Reporter
from opencode_patcher.toolchain import dependencies, signing, surroundings, web_ui
from opencode_patcher.toolchain.bun import Bun
from opencode_patcher.toolchain.runtimes import Runtimes
from opencode_patcher.toolchain.targets import Target
from opencode_patcher.upstream.worktree import Worktree

CHANNEL = "latest"
"""Any channel but latest, beta and prod opens another database (packages/core/src/database/database.ts)."""

TARGETS_VARIABLE = "OPENCODE_BUILD_TARGETS"
"""Read by the patch ``build-targets``: the directories to make, separated by commas."""

_STARTED = re.compile(r"building (\S+)")
"""What upstream's build prints when it starts a target."""


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """What goes into the binary besides the tree.

    ``version`` is the release's number without ``v``; with any other, OpenCode could not find the plugin package of its
    own version (packages/opencode/src/config/config.ts). ``models_json`` is the models catalogue.
    """

    version: str
    models_json: Path
    web_ui: bool = False
    channel: str = CHANNEL


@dataclass(frozen=True, kw_only=True)
class Binary:
    """A built program: its path, the version it was built as, its SHA-256, and the build's wall time."""

    path: Path
    version: str
    sha256: str
    seconds: float


def build(bun: Bun, tree: Worktree, options: BuildOptions, reporter: Reporter, log: Path) -> Binary:
    """Run the build script in the tree, whose dependencies are installed, find the binary, and sign it for macOS.

    The same tree at the same path with the same options and bun gives the same bytes. Raises BuildError with the end of
    the build's output when it fails; ``log`` has all of it.
    """
    with reporter.phase(f"Building {options.version}") as phase:
        seconds = _run(bun, tree, options, reporter, log, flags=("--single",))
        path = _find(tree, options.version, log)
        signing.renew(path, tree.line.program)
        phase.detail(f"{path.stat().st_size / 1e6:.0f} MB")
    return Binary(path=path, version=options.version, sha256=file_sha256(path), seconds=seconds)


def build_targets(
    bun: Bun,
    tree: Worktree,
    options: BuildOptions,
    targets: Sequence[Target],
    runtimes: Runtimes,
    reporter: Reporter,
    log: Path,
    on_built: Callable[[Target, Path], None],
) -> float:
    """Build ``targets`` one after another in one run of upstream's build, and return its wall time in seconds.

    ``on_built`` gets each binary as soon as it is finished and signed, in a separate thread while the next one is
    built; it may move the file away, and any error it raises ends the build. The native packages and ``runtimes`` of
    all targets have to be there. Raises BuildError when the build fails or a binary is not where it is expected.
    """
    dist = tree.path / tree.line.package / "dist"
    pending = {f"{tree.line.dist}-{target.name}": target for target in targets}
    running: list[Target] = []
    shown = contextlib.ExitStack()

    def finish() -> None:
        shown.close()
        while running:
            target = running.pop()
            made = dist / f"{tree.line.dist}-{target.name}" / "bin" / f"{tree.line.built}{target.suffix}"
            path = _require(made, options.version, log)
            signing.renew(path, tree.line.program)
            on_built(target, path)

    def follow(stream: str, line: str) -> None:
        begun = _STARTED.fullmatch(line.strip()) if stream == "stdout" else None
        if begun and begun[1] in pending:
            finish()
            running.append(pending.pop(begun[1]))
            count = f"{len(targets) - len(pending)} of {len(targets)}"
            shown.enter_context(reporter.phase(f"Building {options.version} for {running[0].name} ({count})"))

    variables = {
        TARGETS_VARIABLE: ",".join(pending),
        "BUN_INSTALL_CACHE_DIR": str(runtimes.directory),
    }
    with shown:
        seconds = _run(bun, tree, options, reporter, log, variables=variables, on_line=follow)
        finish()
        if pending:
            raise BuildError(
                f"OpenCode's build skipped {', '.join(pending)}.",
                why="It succeeded, but never said that it was building them.",
                next_step=f"The build's output is in {log}.",
            )
    return seconds


def _run(
    bun: Bun,
    tree: Worktree,
    options: BuildOptions,
    reporter: Reporter,
    log: Path,
    *,
    flags: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    on_line: Callable[[str, str], None] | None = None,
) -> float:
    files.make_directory(log.parent)
    started: list[str] = []

    def follow(stream: str, line: str) -> None:
        if _STARTED.fullmatch(line.strip()):
            started.append(line)
        if on_line:
            on_line(stream, line)

    with scratch.directory("build") as place:
        try:
            return process.run_logged(
                [bun.path, "run", tree.line.build_script, *flags, *arguments(options, tree.line)],
                log,
                reporter,
                cwd=tree.path / tree.line.package,
                env={**environment(bun, options, place), **(variables or {})},
                on_line=follow,
            ).seconds
        except ProcessError as error:
            if full := full_disk.explained(error, "OpenCode's build failed."):
                raise full from error
            if options.web_ui and not started:
                raise web_ui.FailedError(
                    "The web UI could not be built.", why=error.why, next_step=_next_step(options, log)
                ) from error
            raise BuildError(
                "OpenCode's build failed.",
                why=error.why,
                next_step=_next_step(options, log),
            ) from error


def arguments(options: BuildOptions, line: Line = OPENCODE_1) -> tuple[str, ...]:
    """The flags of upstream's build script, whatever it builds for."""
    return (*line.build_flags, *(() if options.web_ui else line.without_web_ui))


def environment(bun: Bun, options: BuildOptions, place: Path) -> dict[str, str | None]:
    """The environment of upstream's build: the variables that it reads, and hardly any of the user's.

    Upstream starts the new binary once; what it writes then goes to ``place``, a temporary directory.
    """
    return {
        **surroundings.for_scripts(place),
        **dependencies.environment(bun),
        "OPENCODE_VERSION": options.version,
        "OPENCODE_CHANNEL": options.channel,
        "MODELS_DEV_API_JSON": str(options.models_json.absolute()),
    }


def _find(tree: Worktree, version: str, log: Path) -> Path:
    """The one binary that the build has left."""
    line = tree.line
    dist = tree.path / line.package / "dist"
    found = [path for path in dist.glob(f"{line.dist}-*/bin/{line.built}*") if path.suffix in ("", ".exe")]
    if len(found) != 1:
        raise BuildError(
            "OpenCode's build left no binary in the expected place.",
            why=f"Under {dist} there are {len(found)} files named {line.dist}-*/bin/{line.built}.",
            next_step=f"The build's output is in {log}.",
        )
    return _require(found[0], version, log)


@dataclass(frozen=True, kw_only=True)
class _Package:
    version: str


def _require(path: Path, version: str, log: Path) -> Path:
    """``path``, if it exists and was built as ``version``, which upstream writes beside it."""
    if not path.is_file():
        raise BuildError(
            "OpenCode's build left no binary in the expected place.",
            why=f"There is no {path}.",
            next_step=f"The build's output is in {log}.",
        )
    about = path.parent.parent / "package.json"
    try:
        built = documents.read(about, _Package).version
    except DocumentError as error:
        raise BuildError(
            "OpenCode's build does not say which version it built.",
            why=f"{about}: {error}",
            next_step=f"The build's output is in {log}.",
        ) from error
    if built != version:
        raise BuildError(
            f"OpenCode's build made version {built} instead of {version}.",
            why="It no longer follows OPENCODE_VERSION.",
            next_step=f"The build's output is in {log}.",
        )
    return path


def _next_step(options: BuildOptions, log: Path) -> str:
    without = "If it is the web UI: opencode-patcher build --web-ui off\n" if options.web_ui else ""
    return f"{without}The whole output is in {log}."
