"""Joins the steps from a release tag to an installed binary. Each step belongs to a package of its own.

``select`` decides which release, ``prepare`` makes its patched tree, ``compile_binary`` the binary, ``prove`` runs the
drill on it; ``build`` is all of them. ``release`` and ``reproduce`` go from the patched tree to a release and back,
``update`` from a newer release to a newer lock. Steps that are already done are not repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from opencode_patcher import __version__
from opencode_patcher.base.errors import BuildError, DrillError, StoreError
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.base.mutex import one_at_a_time
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store, require_programs_run
from opencode_patcher.base.version import Release
from opencode_patcher.install import builds
from opencode_patcher.install.builds import Build, Ingredients
from opencode_patcher.patchset.compose import Change
from opencode_patcher.upstream import lock as upstream_lock
from opencode_patcher.upstream import releases, support
from opencode_patcher.upstream.lock import Lock
from opencode_patcher.upstream.workspace import Workspace
from opencode_patcher.upstream.worktree import Worktree

if TYPE_CHECKING:
    from opencode_patcher.demo import Demonstration
    from opencode_patcher.release import DrillBinary, Made, Order, Reproduction
    from opencode_patcher.release.inputs import Inputs
    from opencode_patcher.upkeep.update import Prospect

GENERATED = frozenset({"bun.lock"})
"""Files of the release that the toolchain itself rewrites: ``bun install`` drops what the slim workspace lacks."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A patched tree and what the next steps need."""

    workspace: Workspace
    tree: Worktree
    change: Change
    day: str
    """The day of the release's commit, in ISO 8601 (``2026-05-14``)."""

    @property
    def release(self) -> Release:
        return self.tree.release


@dataclass(frozen=True, kw_only=True)
class Built:
    """A binary; ``reused`` when it had been built before."""

    build: Build
    reused: bool

    @property
    def binary(self) -> Path:
        return self.build.binary


def select(request: Request, lock: Lock, reporter: Reporter | None = None) -> Release:
    """The release that a request means. The lock's own release needs no network.

    ``reporter`` is told of a later line of OpenCode when the newest release is asked for. Raises SourceError for an
    unknown tag or one of another line, an unreachable source, and a tag that is not where the lock has it.
    """
    wanted = request.ref.removeprefix("v") if request.ref else None
    if not request.latest and wanted in (None, lock.release.number):
        return lock.release
    listing = releases.survey(request.source, request.line)
    if request.latest:
        release = releases.latest(listing.releases, request.line)
        if reporter and (note := listing.note()):
            reporter.note(note)
    else:
        release = releases.find(listing.releases, request.ref or "", request.line)
    upstream_lock.check(release, lock)
    return release


def build(
    request: Request,
    store: Store,
    reporter: Reporter,
    *,
    lock: Lock | None = None,
    proof: Callable[[Build, Reporter], builds.DrillResult] | None = None,
    prospect: Prospect | None = None,
) -> Built:
    """Make the requested binary and prove it with ``proof``.

    The default proof is the quick drill. A release that is newer than the lock's is unproven: it is checked first
    (``prospect`` is that check, where it was made already), and its proof is the whole drill.
    Raises the error of the step that fails; DrillError when the binary does not behave.
    """
    from opencode_patcher.toolchain import catalogue
    from opencode_patcher.toolchain.web_ui import embedded_if_possible

    lock = lock or upstream_lock.current(store, request.line)
    release = select(request, lock, reporter)
    if release != lock.release:
        support.require_buildable(release, support.of_line(request.line))

    newest = cache(partial(catalogue.move_lock, lock, request, store, reporter))

    def attempt(wanted: Request) -> Built:
        prepared = prepare(wanted, release, store, reporter, known=lock.release)
        return compile_binary(wanted, prepared, newest(), store, reporter)

    with one_at_a_time(store, reporter, wait=request.wait):
        if unproven := release > lock.release:
            require_checked(release, request, lock, store, reporter, prospect)
        built = embedded_if_possible(request, store, reporter, attempt)
        proof = proof or (whole_drill if unproven else drill)
        return Built(build=prove(built.build, reporter, proof, whole=unproven), reused=built.reused)


def require_checked(
    release: Release, request: Request, lock: Lock, store: Store, reporter: Reporter, prospect: Prospect | None = None
) -> None:
    """Check the patches against a release that is newer than the lock's, and say that it is unproven. The caller holds
    the mutex of the builds. Raises PatchError when they do not fit.
    """
    from opencode_patcher.upkeep import update

    window = support.of_line(request.line)
    prospect = prospect or update.examine(release, request, store, reporter, lock=lock, window=window)
    update.require_fit(prospect)
    reporter.warn(update.unproven(prospect))


def prepare(
    request: Request, release: Release, store: Store, reporter: Reporter, *, known: Release | None = None
) -> Prepared:
    """Fetch the release and patch its tree. The caller holds the build mutex.

    ``known`` is a release that the patches fit (the locked one): files that upstream has moved since then are followed.
    """
    from opencode_patcher.patchset import moved_files, newfiles, series
    from opencode_patcher.patchset.apply import apply_change
    from opencode_patcher.patchset.compose import compose
    from opencode_patcher.patchset.values import values_for
    from opencode_patcher.toolchain import web_ui
    from opencode_patcher.upstream import repository, workspace, worktree

    require_programs_run(store)
    patches = series.load(request.patches)
    files = newfiles.load(request.templates, request.line)
    if not (request.with_tests and support.of_line(request.line).tests(release)):
        files = newfiles.without_tests(files)
    with repository.opened(store, request.source) as upstream:
        upstream.fetch([release], reporter)
        snapshot = upstream.snapshot(release)
        snapshot.prefetch([*snapshot.package_files(), *patches.places()])
        slim = workspace.closure(
            snapshot.package_texts(), request.line.at(release.version), web_ui=request.embeds_web_ui
        )
        if request.web_ui == "auto":
            web_ui.require_reachable(slim.elsewhere)
        tree = worktree.checkout(store, upstream, release, slim, reporter, with_tests=request.with_tests)
        if known:
            patches = moved_files.follow(patches, upstream, known, release, reporter)
            snapshot.prefetch(patches.places())
        change = compose(patches, files, values_for(request.line, release), snapshot.read, version=release.version)
        with reporter.phase("Patching") as phase:
            applied = apply_change(
                tree.path, change, snapshot.read, tolerated=GENERATED, discard_edits=request.discard_edits
            )
            changed = len(applied.written) + len(applied.removed)
            phase.detail(f"{len(change.placements)} hunks, {changed} of {len(change.files)} files changed")
        day = snapshot.day
    return Prepared(workspace=slim, tree=tree, change=change, day=day)


def compile_binary(request: Request, prepared: Prepared, lock: Lock, store: Store, reporter: Reporter) -> Built:
    """Build the prepared tree, unless the store already has a build with the same ingredients."""
    from opencode_patcher.toolchain import build as toolchain
    from opencode_patcher.toolchain import bun, catalogue, dependencies, platforms

    program = bun.ensure(store, prepared.workspace.bun, lock.bun, reporter)
    models = catalogue.ensure(store, lock.catalogue, reporter, request.models_json)
    too_old = catalogue.age_note(models, prepared.release, prepared.day)
    ingredients = Ingredients(
        release=prepared.release,
        source=request.source,
        patchset=prepared.change.digest,
        bun=program.version,
        catalogue=models.sha256,
        catalogue_origin=models.origin,
        web_ui=request.embeds_web_ui,
        target=platforms.target(),
        lacks=lacks(request, too_old),
        packages=request.packages,
    )
    if found := builds.find(store, ingredients):
        return Built(build=found, reused=True)
    name = f"{prepared.release.number}-{ingredients.key[:12]}"
    log = store.logs / f"install-{name}.log"
    dependencies.install(program, prepared.tree, reporter, log, packages=request.packages)
    if too_old:
        reporter.warn(f"{too_old}\n{catalogue.NEWER}")
    options = toolchain.BuildOptions(
        version=prepared.release.number, models_json=models.path, web_ui=request.embeds_web_ui
    )
    made = toolchain.build(program, prepared.tree, options, reporter, store.logs / f"build-{name}.log")
    return Built(build=builds.keep(store, ingredients, made.path, __version__), reused=False)


def lacks(request: Request, too_old: str) -> tuple[str, ...]:
    """What the official binary has and one for this request does not. ``too_old`` is ``catalogue.age_note``."""
    no_page = f"The web UI is not embedded. {request.web_ui_missing}" if request.web_ui_missing else ""
    return tuple(filter(None, (no_page, too_old)))


def prove(
    build: Build, reporter: Reporter, proof: Callable[[Build, Reporter], builds.DrillResult], *, whole: bool = False
) -> Build:
    """Run the drill on a build that it has not passed yet (not as a ``whole``), and record what it says.

    Raises DrillError when a scenario fails; the build stays in the store, marked as failed.
    """
    if build.proven or (build.verified and not whole):
        return build
    judged = builds.record_drill(build, proof(build, reporter))
    if judged.drill and judged.drill.failed:
        raise DrillError(
            f"The new binary fails {len(judged.drill.failed)} of the drill's scenarios.",
            why=f"Failed: {', '.join(judged.drill.failed)}. The binary is {build.binary}.",
            next_step=f"See what happened: opencode-patcher verify --binary {build.binary}",
        )
    return judged


def drill(build: Build, reporter: Reporter) -> builds.DrillResult:
    """The scenarios that every build must pass, as a verdict."""
    return _drill(build, reporter, whole=False)


def whole_drill(build: Build, reporter: Reporter) -> builds.DrillResult:
    """All scenarios of the drill, as a verdict."""
    return _drill(build, reporter, whole=True)


def _drill(build: Build, reporter: Reporter, *, whole: bool) -> builds.DrillResult:
    from opencode_patcher import drill as room

    report = room.run(build.binary, room.select((), quick=not whole), reporter=reporter)
    return builds.DrillResult(
        passed=tuple(row.scenario for row in report.verdicts if row.passed),
        failed=tuple(row.scenario for row in report.verdicts if not row.passed),
        failover_ms=median(report.failover_ms) if report.failover_ms else None,
        whole=whole,
    )


def copy_out(build: Build, directory: Path) -> Path:
    """Copy a build's binary and manifest to the user's ``directory`` and return the copy's path.

    Raises BuildError when it cannot be written there; an existing file is then unchanged.
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


def release(
    order: Order,
    out: Path,
    store: Store,
    reporter: Reporter,
    proof: DrillBinary,
    *,
    lock: Lock | None = None,
    whole: DrillBinary | None = None,
) -> Made:
    """Build ``order`` and write it to ``out``, which is replaced in one step once everything has passed.

    A release that is newer than the lock's is checked first and proven by ``whole`` (default: ``proof``).
    Raises ReleaseError when ``out`` holds other things or there is no room, the error of the step that fails, and
    DrillError when the binary that runs here does not behave. ``out`` is then unchanged.
    """
    from opencode_patcher.release import directory, make
    from opencode_patcher.toolchain import catalogue
    from opencode_patcher.toolchain.web_ui import embedded_if_possible

    out = out.absolute()
    directory.require_usable(out)
    lock = lock or upstream_lock.current(store, order.request.line)
    chosen = select(order.request, lock)
    if chosen != lock.release:
        support.require_buildable(chosen, support.of_line(order.request.line))
    with one_at_a_time(store, reporter, wait=order.request.wait):
        make.require_room(order, store, out, reporter)
        if chosen > lock.release:
            require_checked(chosen, order.request, lock, store, reporter)
            proof = whole or proof

        newest = cache(partial(catalogue.move_lock, lock, order.request, store, reporter))

        def attempt(request: Request) -> tuple[Order, Inputs]:
            decided = replace(order, request=request)
            return decided, gathered(decided, chosen, lock, store, reporter, moved=newest)

        decided, inputs = embedded_if_possible(order.request, store, reporter, attempt)
        return make.release(decided, inputs, out, store, reporter, proof)


def gathered(
    order: Order,
    release: Release,
    lock: Lock,
    store: Store,
    reporter: Reporter,
    *,
    moved: Callable[[], Lock] | None = None,
    lacking: tuple[str, ...] | None = None,
) -> Inputs:
    """The patched tree of a release, and everything that building it for many platforms needs. The caller holds the
    build mutex. ``moved`` returns the lock with another catalogue; it is called once the tree is there. ``lacking`` is
    used when a release is made again: what that release said it lacks.

    Raises the error of the step that fails; ToolchainError when a target lacks a native package.
    """
    from opencode_patcher.release.inputs import gather
    from opencode_patcher.toolchain import catalogue

    made = prepare(order.request, release, store, reporter, known=lock.release)
    after = moved() if moved else lock
    inputs = gather(order, made.tree, made.change, made.workspace.bun, after, store, reporter)
    if lacking is not None:
        return replace(inputs, lacks=lacking)
    if too_old := catalogue.age_note(inputs.models, release, made.day):
        reporter.warn(f"{too_old}\n{catalogue.NEWER}")
    return replace(inputs, lacks=lacks(order.request, too_old))


def reproduce(
    place: Path, request: Request, store: Store, reporter: Reporter, *, lock: Lock | None = None
) -> Reproduction:
    """Check the release in ``place`` against its own checksums, then rebuild what its manifest names and compare.

    ``request`` says where the source and the patches are; release and flags are the manifest's. Raises ReleaseError
    when files were changed, are missing or do not belong there, when the manifest names another version of the tool,
    other patches or another store, and the error of the build step that fails.
    """
    from opencode_patcher.release import make
    from opencode_patcher.release import reproduce as again

    place = place.absolute()
    released = again.check_sums(place)
    order = again.order_of(released, request)
    lock = lock or upstream_lock.current(store, order.request.line)
    again.require_same_release(released, chosen := select(order.request, lock))
    if released.catalogue_pin:
        lock = replace(lock, catalogue=released.catalogue_pin)
    with one_at_a_time(store, reporter, wait=request.wait):
        make.require_room(order, store, store.root, reporter)
        inputs = gathered(order, chosen, lock, store, reporter, lacking=released.lacks)
        return again.rebuild(place, released, order, inputs, store, reporter)


def update(
    prospect: Prospect,
    request: Request,
    store: Store,
    reporter: Reporter,
    *,
    lock: Lock,
    lock_file: Path,
    proof: Callable[[Build, Reporter], builds.DrillResult] | None = None,
    activate: Callable[[Build], None] | None = None,
) -> Built:
    """Build and verify the newest release, then write ``lock_file`` and, with ``activate``, install the build.

    It is newer than anything that was proven, so its proof is the whole drill, unless ``proof`` says otherwise.
    Raises the error of the step that fails; then ``lock_file`` is unchanged.
    """
    from opencode_patcher.upkeep.update import moving, next_lock

    after = next_lock(prospect, request, store, reporter, lock=lock)
    lock = replace(lock, catalogue=after.catalogue)
    with moving(prospect, after, lock_file) as write_lock:
        wanted = replace(request, ref=prospect.newest.tag, locked=True)
        built = build(wanted, store, reporter, lock=lock, proof=proof, prospect=prospect)
        write_lock()
        if activate:
            activate(built.build)
    return built


def demonstrate(
    store: Store, reporter: Reporter, *, line: Line = OPENCODE_1, keep: Path | None = None
) -> Demonstration:
    """Build the small upstream of a line in the demo's own part of ``store``, and watch its binary fail over. ``keep``
    names a directory for the throw-away homes.

    Raises the error of the step that fails; DrillError when a freshly built binary fails a scenario. For a binary that
    was built before, failed scenarios are listed in ``failed`` instead.
    """
    from opencode_patcher import demo

    episodes: list[demo.Episode] = []

    def proof(build: Build, reporter: Reporter) -> builds.DrillResult:
        episodes.extend(demo.watch(build.binary, reporter, keep))
        return demo.outcome(episodes)

    own = store.inner(demo.STORE)
    wanted, lock = demo.request(own, line)
    built = build(wanted, own, reporter, lock=lock, proof=proof)
    if not episodes:
        proof(built.build, reporter)
    return demo.Demonstration(line=line, binary=built.binary, reused=built.reused, episodes=tuple(episodes))
