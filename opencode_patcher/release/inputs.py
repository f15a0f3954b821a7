"""Everything that goes into the binaries of a release, prepared by the packages responsible for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.patchset.compose import Change
from opencode_patcher.release.published import Published
from opencode_patcher.toolchain import bun, bun_lock, catalogue, dependencies, natives, runtimes
from opencode_patcher.toolchain.bun import Bun
from opencode_patcher.toolchain.bun_lock import BunLock, Package
from opencode_patcher.toolchain.catalogue import Catalogue
from opencode_patcher.toolchain.natives import MissingPackage
from opencode_patcher.toolchain.runtimes import Runtimes
from opencode_patcher.toolchain.targets import Target
from opencode_patcher.upstream.lock import Lock
from opencode_patcher.upstream.worktree import Worktree


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to release: what to build (``request``), for which targets, and where it will be ``published``.

    ``allow_missing`` builds a target even if an optional native package is not available.
    """

    request: Request
    targets: tuple[Target, ...]
    allow_missing: bool = False
    published: Published = field(default_factory=Published)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """A patched tree with the dependencies of all targets, and everything else that upstream's build needs.

    ``closure`` is OpenCode and its production dependencies, itself first, without the native packages of platforms that
    are not released and without ``missing``, which were replaced with stand-ins. ``installed`` has the directory of
    each package by name and version. ``lacks`` is what the official binaries have and these do not.
    """

    tree: Worktree
    change: Change
    bun: Bun
    models: Catalogue
    runtimes: Runtimes
    lock: BunLock
    closure: tuple[Package, ...]
    installed: Mapping[tuple[str, str], Path]
    missing: tuple[MissingPackage, ...]
    lacks: tuple[str, ...] = ()

    def without(self, target: Target) -> tuple[str, ...]:
        """The native packages that a target lacks, as ``name@version``."""
        lacking = (one.package for one in self.missing if target in one.targets)
        return tuple(sorted(f"{package.name}@{package.version}" for package in lacking))


def gather(
    order: Order, tree: Worktree, change: Change, required_bun: str, lock: Lock, store: Store, reporter: Reporter
) -> Inputs:
    """Prepare everything that upstream's build needs besides ``tree``, to which ``change`` was applied.

    ``required_bun`` is the version that the release asks for. The caller holds the build mutex.

    Raises the error of the step that fails; ToolchainError when a target lacks a native package.
    """
    program = bun.ensure(store, required_bun, lock.bun, reporter)
    models = catalogue.ensure(store, lock.catalogue, reporter, order.request.models_json)
    log = store.logs / f"install-{tree.release.number}-release.log"
    packages = order.request.packages
    fresh = dependencies.install(program, tree, reporter, log, every_platform=True, packages=packages)
    locked = bun_lock.parse(files.read_text(tree.path / dependencies.LOCK_FILE))
    embedded = tree.line.web_ui if order.request.embeds_web_ui else ""
    closure = locked.production(tree.line.package_name, embedded=embedded)
    installed = natives.installed(tree.path)
    lacking = natives.missing(closure, order.targets, installed)
    if _refused(order, lacking) and not fresh:
        # The registry may have them by now.
        dependencies.forget(tree)
        dependencies.install(program, tree, reporter, log, every_platform=True, packages=packages)
        installed = natives.installed(tree.path)
        lacking = natives.missing(closure, order.targets, installed)
    require_complete(order, lacking, log)
    for one in lacking:
        stand_in(one, closure, installed)
        reporter.warn(
            f"{one.package.name} {one.package.version} is not available; OpenCode works without it on "
            f"{', '.join(target.name for target in one.targets)}."
        )
    return Inputs(
        tree=tree,
        change=change,
        bun=program,
        models=models,
        runtimes=runtimes.ensure(store, program, order.targets, lock.bun, reporter),
        lock=locked,
        closure=natives.included(closure, order.targets, lacking),
        installed=installed,
        missing=tuple(lacking),
    )


def _refused(order: Order, lacking: Sequence[MissingPackage]) -> list[MissingPackage]:
    """The missing packages that stop the build of a target."""
    return [one for one in lacking if not (order.allow_missing and one.library)]


def require_complete(order: Order, lacking: Sequence[MissingPackage], log: Path) -> None:
    """Raises ToolchainError when a target of the order lacks a package that it needs; ``log`` is bun's."""
    refused = _refused(order, lacking)
    if not refused:
        return
    stopped = {target for one in refused for target in one.targets}
    left = [target.name for target in order.targets if target not in stopped]
    steps = [f"Release the others: {' '.join(f'--target {name}' for name in left)}"] if left else []
    if not order.allow_missing and any(one.library for one in refused):
        steps.append("Build without the optional ones: --allow-missing")
    raise ToolchainError(
        f"{len(stopped)} of {len(order.targets)} targets cannot be built: native packages are missing.",
        why="\n".join(
            [
                *(
                    f"{one.package.name} {one.package.version} for {', '.join(target.name for target in one.targets)}"
                    f"{' (optional)' if one.library else ''}"
                    for one in refused
                ),
                f"The registry lacks them, or the connection failed: {log}",
            ]
        ),
        next_step="\n".join([*steps, "Check npm's registry (npm_config_registry or .npmrc)."]),
    )


def stand_in(one: MissingPackage, closure: Sequence[Package], installed: Mapping[tuple[str, str], Path]) -> None:
    """Put a stand-in wherever a missing package is looked for. Raises StoreError."""
    for user in closure:
        if one.package.place in user.optional and (directory := installed.get((user.name, user.version))):
            natives.put_stand_in(one, directory.resolve().parents[user.name.count("/")])
