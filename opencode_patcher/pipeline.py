"""From a release to a proven binary: each arrow of the house is one call here, and each can be left out or come later.

``select`` decides which release, ``prepare`` makes its patched tree, ``compile_binary`` the binary, ``prove`` runs the
drill on it. ``build`` is all of them. What is done already is not done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from opencode_patcher import __version__
from opencode_patcher.base import resources
from opencode_patcher.base.errors import BuildError, DrillError, StoreError
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.base.mutex import one_at_a_time
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.install import builds
from opencode_patcher.install.builds import Build, Ingredients
from opencode_patcher.patchset.compose import Change
from opencode_patcher.upstream import DEFAULT_SOURCE, releases, support
from opencode_patcher.upstream import lock as upstream_lock
from opencode_patcher.upstream.lock import Lock
from opencode_patcher.upstream.workspace import Workspace
from opencode_patcher.upstream.worktree import Worktree

GENERATED = frozenset({"bun.lock"})
"""Files of the release that the toolchain itself rewrites: ``bun install`` drops what the slim workspace lacks."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to build. ``ref`` is a release tag, None for the lock's; ``models_json`` replaces the pinned catalogue.

    ``with_tests`` brings upstream's tests and ours into the tree, which the binary does not need.
    """

    source: str = DEFAULT_SOURCE
    ref: str | None = None
    latest: bool = False
    models_json: Path | None = None
    web_ui: bool = False
    discard_edits: bool = False
    wait: bool = True
    with_tests: bool = False
    patches: Path = field(default_factory=resources.patches)
    templates: Path = field(default_factory=resources.templates)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A patched tree and what is needed to go on from it."""

    release: Release
    workspace: Workspace
    tree: Worktree
    change: Change


@dataclass(frozen=True, kw_only=True)
class Built:
    """A binary; ``reused`` when it was there already."""

    build: Build
    reused: bool

    @property
    def binary(self) -> Path:
        return self.build.binary


def select(request: Request, lock: Lock) -> Release:
    """The release that a request means. The lock's own release needs no network.

    Raises SourceError for an unknown tag, an unreachable source, and a tag that is not where the lock has it.
    """
    wanted = request.ref.removeprefix("v") if request.ref else None
    if not request.latest and wanted in (None, lock.release.number):
        return lock.release
    listed = releases.list_releases(request.source)
    release = releases.latest(listed) if request.latest else releases.find(listed, request.ref or "")
    upstream_lock.check(release, lock)
    return release


def build(
    request: Request,
    store: Store,
    reporter: Reporter,
    *,
    lock: Lock | None = None,
    proof: Callable[[Build, Reporter], builds.DrillResult] | None = None,
) -> Built:
    """Make the requested binary and prove it with ``proof`` (default: the drill).

    Raises the error of the step that fails; DrillError when the binary does not behave.
    """
    lock = lock or upstream_lock.current(store)
    release = select(request, lock)
    if release != lock.release:
        support.require_buildable(release, support.read_support())
    with one_at_a_time(store, reporter, wait=request.wait):
        prepared = prepare(request, release, store, reporter, known=lock.release)
        built = compile_binary(request, prepared, lock, store, reporter)
        return Built(build=prove(built.build, reporter, proof), reused=built.reused)


def prepare(
    request: Request, release: Release, store: Store, reporter: Reporter, *, known: Release | None = None
) -> Prepared:
    """Fetch the release and bring its tree to pristine + our change. The caller holds the mutex of the builds.

    ``known`` is a release that the patches fit (that of the lock): a file that was moved since then is followed.
    """
    from opencode_patcher.patchset import moved_files, newfiles, series
    from opencode_patcher.patchset.apply import apply_change
    from opencode_patcher.patchset.compose import compose
    from opencode_patcher.patchset.values import values_for
    from opencode_patcher.upstream import repository, workspace, worktree

    patches = series.load(request.patches)
    files = newfiles.load(request.templates)
    if not (request.with_tests and support.read_support().tests(release)):
        files = newfiles.without_tests(files)
    with repository.opened(store, request.source) as upstream:
        upstream.fetch([release], reporter)
        snapshot = upstream.snapshot(release)
        snapshot.prefetch([*snapshot.package_files(), *patches.places()])
        slim = workspace.closure(snapshot.package_texts(), web_ui=request.web_ui)
        tree = worktree.checkout(store, upstream, release, slim, reporter, with_tests=request.with_tests)
        if known:
            patches = moved_files.follow(patches, upstream, known, release, reporter)
            snapshot.prefetch(patches.places())
        change = compose(patches, files, values_for(OPENCODE_1, release), snapshot.read, version=release.version)
        with reporter.phase("Patching") as phase:
            applied = apply_change(
                tree.path, change, snapshot.read, tolerated=GENERATED, discard_edits=request.discard_edits
            )
            changed = len(applied.written) + len(applied.removed)
            phase.detail(f"{len(change.placements)} hunks, {changed} of {len(change.files)} files changed")
    return Prepared(release=release, workspace=slim, tree=tree, change=change)


def compile_binary(request: Request, prepared: Prepared, lock: Lock, store: Store, reporter: Reporter) -> Built:
    """Build the prepared tree, unless the store has the build of the same ingredients."""
    from opencode_patcher.toolchain import build as toolchain
    from opencode_patcher.toolchain import bun, catalogue, dependencies, platforms

    program = bun.ensure(store, prepared.workspace.bun, reporter)
    models = catalogue.ensure(store, lock.catalogue, reporter, request.models_json)
    ingredients = Ingredients(
        release=prepared.release,
        source=request.source,
        patchset=prepared.change.digest,
        bun=program.version,
        catalogue=models.sha256,
        web_ui=request.web_ui,
        target=platforms.target(),
    )
    if found := builds.find(store, ingredients):
        return Built(build=found, reused=True)
    name = f"{prepared.release.number}-{ingredients.key[:12]}"
    dependencies.install(program, prepared.tree, reporter, store.logs / f"install-{name}.log")
    options = toolchain.BuildOptions(version=prepared.release.number, models_json=models.path, web_ui=request.web_ui)
    made = toolchain.build(program, prepared.tree, options, reporter, store.logs / f"build-{name}.log")
    return Built(build=builds.keep(store, ingredients, made.path, __version__), reused=False)


def prove(
    build: Build, reporter: Reporter, proof: Callable[[Build, Reporter], builds.DrillResult] | None = None
) -> Build:
    """Run the drill on a build that it has not passed yet, and record what it says.

    Raises DrillError when a scenario fails; the build stays in the store, marked as failed.
    """
    if build.verified:
        return build
    judged = builds.record_drill(build, (proof or drill)(build, reporter))
    if judged.drill and judged.drill.failed:
        raise DrillError(
            f"The new binary fails {len(judged.drill.failed)} of the drill's scenarios.",
            why=f"Failed: {', '.join(judged.drill.failed)}. The binary is {build.binary}.",
            next_step=f"See what happened: opencode-patcher verify --binary {build.binary}",
        )
    return judged


def drill(build: Build, reporter: Reporter) -> builds.DrillResult:
    """The whole drill, as a verdict."""
    from opencode_patcher import drill as room

    report = room.run(build.binary, reporter=reporter)
    return builds.DrillResult(
        passed=tuple(row.scenario for row in report.verdicts if row.passed),
        failed=tuple(row.scenario for row in report.verdicts if not row.passed),
        failover_ms=median(report.failover_ms) if report.failover_ms else None,
    )


def copy_out(build: Build, directory: Path) -> Path:
    """Copy a build's binary and manifest into a directory of the user's, and return the copy's path.

    Raises BuildError when it cannot be written there; a file that was there is then as it was.
    """
    from opencode_patcher.base import files

    try:
        for name, mode in ((build.name, 0o755), (builds.MANIFEST, 0o644)):
            files.write_bytes(directory / name, (build.directory / name).read_bytes(), mode=mode)
    except (StoreError, OSError) as error:
        raise BuildError(
            f"The binary cannot be copied to {directory}.",
            why=f"{error.what} {error.why}" if isinstance(error, StoreError) else str(error),
            next_step=f"Name another directory in --out. The binary itself is finished: {build.binary}",
        ) from error
    return directory / build.name
