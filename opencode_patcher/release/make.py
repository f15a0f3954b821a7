"""Building a release and writing its directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from opencode_patcher import __version__
from opencode_patcher.base.errors import DrillError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.text import without_credentials
from opencode_patcher.drill import Report
from opencode_patcher.release import archives, artifact, directory, metadata, staging
from opencode_patcher.release.inputs import Inputs, Order
from opencode_patcher.release.manifest import Artifact, Manifest
from opencode_patcher.toolchain import build as toolchain
from opencode_patcher.toolchain import platforms, runtimes
from opencode_patcher.toolchain.targets import Target, runnable

AT_A_TIME = 2
"""How many archives are written in parallel while the next binary is built; one takes longer than a build."""

DrillBinary = Callable[[Path, Reporter], Report]
"""Drills the binary that runs on this machine."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A finished release. ``report`` is the drill of the binary that runs here; None when none runs here."""

    directory: Path
    manifest: Manifest
    report: Report | None


def release(order: Order, inputs: Inputs, out: Path, store: Store, reporter: Reporter, drill: DrillBinary) -> Made:
    """Build ``order`` from ``inputs`` and write it to ``out``, which is replaced in one step once everything passed.
    The caller holds the build mutex. Raises the error of the step that fails, and DrillError when the binary that runs
    here does not behave. ``out`` is then as it was.
    """
    with staging.staged(out, store) as place:
        made, kept = build(order, inputs, place, store, reporter)
        report = _drilled(kept, made, reporter, drill)
        metadata.write(order, inputs, made, report, place)
    return Made(directory=out, manifest=made, report=report)


def require_room(order: Order, store: Store, out: Path, reporter: Reporter) -> None:
    """Raises ReleaseError when there is not enough disk space for a release."""
    needed = directory.room_for(len(order.targets), runtimes.never_fetched(store, order.targets))
    directory.require_room(needed, store.root, out, reporter)


def build(order: Order, inputs: Inputs, place: Path, store: Store, reporter: Reporter) -> tuple[Manifest, Path | None]:
    """Build all targets and write their archives into ``place``.

    Returns the manifest, and the binary that runs on this machine or None; the others are deleted as soon as they are
    in their archive. Raises BuildError, and ReleaseError when a binary is not for its target.
    """
    tree = inputs.tree
    release_ = tree.release
    native = runnable(order.targets, platforms.detect())
    beside = metadata.write_for_archives(inputs, place)
    log = store.logs / f"build-{release_.number}-release.log"
    options = toolchain.BuildOptions(
        version=release_.number, models_json=inputs.models.path, web_ui=order.request.embeds_web_ui
    )
    packing = _Packing(inputs=inputs, place=place, beside=beside, keep=native)
    try:
        toolchain.build_targets(inputs.bun, tree, options, order.targets, inputs.runtimes, reporter, log, packing.begin)
        with reporter.phase("Packing") as phase:
            artifacts = packing.finish()
            phase.detail(f"{sum(one.archive.size for one in artifacts) / 1e6:.0f} MB in {len(artifacts)} archives")
    except BaseException:
        packing.close()
        shutil.rmtree(tree.path / tree.line.package / "dist", ignore_errors=True)
        raise
    packing.close()
    made = Manifest(
        tool_version=__version__,
        release=release_,
        source=without_credentials(order.request.source),
        published=order.published,
        patchset=inputs.change.digest,
        bun=inputs.bun.version,
        catalogue=inputs.models.sha256,
        catalogue_pin=inputs.models.pin,
        web_ui=order.request.embeds_web_ui,
        lacks=inputs.lacks,
        packages=order.request.packages,
        channel=options.channel,
        place=str(tree.path),
        zlib=archives.ZLIB,
        artifacts=artifacts,
    )
    return made, packing.kept


@dataclass(kw_only=True)
class _Packing:
    """Checks and packs binaries in threads while the next one is built. ``kept`` is the binary of ``keep``."""

    inputs: Inputs
    place: Path
    beside: Sequence[Path]
    keep: Target | None
    kept: Path | None = None
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_A_TIME))
    _work: list[Future[Artifact]] = field(default_factory=list)

    def begin(self, target: Target, binary: Path) -> None:
        """Take a finished binary. Raises what went wrong with an earlier one, so that the build ends early."""
        for work in self._work:
            if work.done():
                work.result()
        if target == self.keep:
            self.kept = binary
        self._work.append(self._pool.submit(self._pack, target, binary))

    def finish(self) -> tuple[Artifact, ...]:
        """The artifact of each binary, in the order in which they came. Raises the first error."""
        return tuple(work.result() for work in self._work)

    def close(self) -> None:
        """Wait for what is in progress, and drop the rest."""
        self._pool.shutdown(cancel_futures=True)

    def _pack(self, target: Target, binary: Path) -> Artifact:
        done = artifact.pack(
            target,
            binary,
            runtime=self.inputs.runtimes.path(target),
            beside=self.beside,
            place=self.place,
            without=self.inputs.without(target),
        )
        if target != self.keep:
            binary.unlink()
        return done


def _drilled(binary: Path | None, made: Manifest, reporter: Reporter, drill: DrillBinary) -> Report | None:
    if binary is None:
        reporter.warn("None of the targets runs on this machine, so no binary was drilled.")
        return None
    report = drill(binary, reporter)
    if report.failed or report.version != made.release.number:
        raise DrillError(
            "The binary that runs on this machine failed the drill, so nothing is released.",
            why=f"It says that it is version {report.version}. Failed: "
            f"{', '.join(row.scenario for row in report.failed) or 'none'}. The binary is {binary}.",
            next_step=f"See what happened: opencode-patcher verify --binary {binary}",
        )
    binary.unlink()
    return report
