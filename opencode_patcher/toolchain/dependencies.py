"""Upstream's dependencies, in the versions of its lock file, without the packages' lifecycle scripts.

The tree has only a part of upstream's workspace, so ``--frozen-lockfile`` fails: bun would drop the lock's other
entries. With ``--no-save`` it installs from the lock and leaves the file alone; packages resolve as locked.

No dependency's script is run: at v1.18.3 none is needed, since all native parts come as prebuilt packages (bun-pty,
@parcel/watcher, @ff-labs/fff) or WebAssembly (web-tree-sitter). Upstream's own ``fix-node-pty``, which its root runs
after an installation, is run explicitly.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from opencode_patcher.base import documents, files, full_disk, git, process, scratch
from opencode_patcher.base.child import open_log
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.errors import PatcherError, ProcessError, ToolchainError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.toolchain import npm_registry, npm_settings, surroundings, web_ui
from opencode_patcher.toolchain.bun import Bun
from opencode_patcher.upstream.workspace import DEPENDENCY_FIELDS
from opencode_patcher.upstream.worktree import Worktree

SCRIPTS = ("fix-node-pty",)
"""Scripts of upstream's own packages to run after the installation, if a package has them."""

LIFECYCLE = ("preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare")
"""The scripts that ``bun install`` would run for upstream's own packages (bun's documentation, "Lifecycle scripts")."""

STAMP = "opencode-patcher-dependencies.json"
LOCK_FILE = "bun.lock"
EVERY_PLATFORM = ("--os=*", "--cpu=*")
"""What upstream's build passes to ``bun install`` before it builds for all platforms."""


def install(
    bun: Bun,
    tree: Worktree,
    reporter: Reporter,
    log: Path,
    *,
    every_platform: bool = False,
    packages: Sequence[str] = (),
) -> bool:
    """Install what the tree's packages need; False when nothing had changed since the last time.

    With ``every_platform`` the native packages of all platforms are installed too, as far as the registry has them;
    ``natives.missing`` tells which are missing. They do not change this machine's binary.

    ``packages`` are dependencies to take in another version than the release asks for, as ``NAME=VERSION``, because
    the registry lacks that one. ``log`` gets the programs' output. An installation always starts from upstream's own
    lock file and without ``node_modules``, so that it does not depend on earlier ones. Raises ToolchainError when a
    dependency is not available, StoreError when the disk is full.
    """
    surroundings.require_known(tree)
    if _is_done(bun, tree, every_platform=every_platform, packages=packages):
        return False
    if git.in_tree(tree.path, "status", "--porcelain", "--", LOCK_FILE).stdout:
        reporter.warn(f"{LOCK_FILE} in {tree.path} was changed; upstream's own is restored.")
        git.in_tree(tree.path, "checkout", "--quiet", "HEAD", "--", LOCK_FILE)
        if _is_done(bun, tree, every_platform=every_platform, packages=packages):
            return False
    with reporter.phase("Installing dependencies"):
        forget(tree)
        for directory in list(_module_directories(tree.path)):
            files.remove_directory(directory)
        files.make_directory(log.parent)
        try:
            with _instead(tree, packages):
                _run_install(bun, tree, reporter, log)
            _run_scripts(bun, tree, reporter, log)
            _list_skipped(tree, reporter, log)
        except ProcessError as error:
            raise _explained(error, tree, log) from error
        if every_platform:
            # It fails when an optional package is not available, but still installs the others.
            with _instead(tree, packages):
                _run_install(bun, tree, reporter, log, *EVERY_PLATFORM, check=False)
        files.write_json(tree.git_dir / STAMP, _stamp(bun, tree, every_platform=every_platform, packages=packages))
    return True


@contextmanager
def _instead(tree: Worktree, packages: Sequence[str]) -> Iterator[None]:
    """The tree whose package files ask for these ``packages``, as NAME=VERSION, until the block ends.

    bun takes what the root's ``overrides`` say for every package that asks for the name; one that nobody asks for (an
    optional peer) is added to all.
    """
    manifests = [tree.path / "package.json", *(tree.path / package / "package.json" for package in tree.packages)]
    before = {path: files.read_bytes(path) for path in manifests} if packages else {}
    try:
        said = {path: documents.parse(content.decode(), dict[str, object]) for path, content in before.items()}
        for package in packages:
            name, _, version = package.rpartition("=")
            asked = any(name in _table(one, kind) for one in said.values() for kind in DEPENDENCY_FIELDS)
            for path, one in said.items():
                if path == manifests[0]:
                    one["overrides"] = {**_table(one, "overrides"), name: version}
                elif not asked:
                    one["dependencies"] = {**_table(one, "dependencies"), name: version}
        for path, one in said.items():
            files.write_json(path, one)
        yield
    finally:
        for path, content in before.items():
            files.write_bytes(path, content, mode=0o644)


def _table(manifest: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = manifest.get(key)
    return found if isinstance(found, dict) else {}


def _run_install(bun: Bun, tree: Worktree, reporter: Reporter, log: Path, *flags: str, check: bool = True) -> None:
    command: list[str | Path] = [bun.path, "install", "--ignore-scripts", "--no-save", *flags]
    with scratch.directory("install") as place:
        env = {**surroundings.for_registry(place), **environment(bun)}
        process.run_logged(command, log, reporter, cwd=tree.path, env=env, check=check)


def _run_scripts(bun: Bun, tree: Worktree, reporter: Reporter, log: Path) -> None:
    with scratch.directory("scripts") as place:
        env = {**surroundings.for_scripts(place), **environment(bun)}
        for directory, script in _scripts(tree):
            process.run_logged([bun.path, "run", script], log, reporter, cwd=directory, env=env)


def _list_skipped(tree: Worktree, reporter: Reporter, log: Path) -> None:
    """Report which scripts were not run: those of upstream's own packages, and those of the dependencies it trusts."""
    root = _package(tree.path)
    lines = [f"Scripts of dependencies that were not run: {', '.join(root.trustedDependencies) or 'none'}"]
    for directory in (tree.path, *(tree.path / package for package in tree.packages)):
        scripts = _package(directory).scripts
        lines += [f"Not run: {name} of {directory}: {scripts[name]}" for name in LIFECYCLE if name in scripts]
    with open_log(log) as file:
        for line in lines:
            file.write(f"{line}\n")
            if reporter.verbose:
                reporter.output(line)


def forget(tree: Worktree) -> None:
    """Make the next installation start from scratch."""
    (tree.git_dir / STAMP).unlink(missing_ok=True)


def environment(bun: Bun) -> dict[str, str | None]:
    """What is set whenever bun runs: upstream's scripts call ``bun`` by name."""
    return {"PATH": os.pathsep.join([str(bun.path.parent), os.environ.get("PATH", os.defpath)])}


def digest(bun: Bun, tree: Worktree) -> str:
    """SHA-256 of everything that determines an installation: package files, lock, settings, patches, and bun's
    version."""
    total = hashlib.sha256(bun.version.encode())
    manifests = ["package.json", *(f"{package}/package.json" for package in tree.packages)]
    patches = sorted(path.relative_to(tree.path).as_posix() for path in (tree.path / "patches").rglob("*.patch"))
    for name in [*manifests, LOCK_FILE, "bunfig.toml", *patches]:
        path = tree.path / name
        content = path.read_bytes() if path.is_file() else b""
        total.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


@dataclass(frozen=True, kw_only=True)
class _Stamp:
    """What is installed, and ``place``, the tree's path, which goes into the binary."""

    digest: str
    place: str = ""
    every_platform: bool = False
    packages: tuple[str, ...] = ()


def _stamp(bun: Bun, tree: Worktree, *, every_platform: bool, packages: Sequence[str]) -> dict[str, object]:
    return {
        "digest": digest(bun, tree),
        "place": str(tree.path),
        "every_platform": every_platform,
        "packages": list(packages),
    }


def _is_done(bun: Bun, tree: Worktree, *, every_platform: bool, packages: Sequence[str]) -> bool:
    try:
        stamp = documents.read(tree.git_dir / STAMP, _Stamp)
    except DocumentError:
        return False
    if (every_platform and not stamp.every_platform) or stamp.packages != tuple(packages):
        return False
    there = all((tree.path / part / "node_modules").is_dir() for part in ("", tree.line.package))
    return there and stamp.place == str(tree.path) and stamp.digest == digest(bun, tree)


def _module_directories(root: Path) -> Iterator[Path]:
    for directory, names, _ in os.walk(root):
        if "node_modules" in names:
            names.remove("node_modules")
            yield Path(directory, "node_modules")


@dataclass(frozen=True, kw_only=True)
class _Package:
    scripts: dict[str, str] = field(default_factory=dict)
    trustedDependencies: tuple[str, ...] = ()  # noqa: N815 (the name in package.json)


def _scripts(tree: Worktree) -> Iterator[tuple[Path, str]]:
    for package in tree.packages:
        directory = tree.path / package
        scripts = _package(directory).scripts
        yield from ((directory, script) for script in SCRIPTS if script in scripts)


def _package(directory: Path) -> _Package:
    try:
        return documents.read(directory / "package.json", _Package)
    except DocumentError as error:
        why = f"{directory / 'package.json'}: {error}"
        raise ToolchainError("The dependencies cannot be installed.", why=why) from error


def _explained(error: ProcessError, tree: Worktree, log: Path) -> PatcherError:
    if full := full_disk.explained(error, "The dependencies cannot be installed."):
        return full
    if tree.line.web_ui in tree.packages:
        return web_ui.MissingError(
            "The dependencies of the web UI are not available.",
            why=f"Some of them come from other hosts than the npm registry.\n{error.why}",
            next_step=f"Build without it: opencode-patcher build {web_ui.WITHOUT}\nThe whole output is in {log}.",
        )
    settings = npm_settings.read_settings()
    what = "The dependencies cannot be installed."
    if found := DISTRUST.search(error.output):
        return npm_registry.untrusted(what, "", f"bun says {found[0]}.", settings)
    if lacking := {name: version for version, name in _LACKING.findall(error.output)}:
        named = ", ".join(f"{name} {version}" for name, version in lacking.items())
        return ToolchainError(
            f"The npm registry does not have {named}, which this release needs.",
            why=f"{error.why}\nRegistry: {settings.registry_setting('')}",
            next_step=(
                "Use a registry that has this, or build another release. To try it with other versions, at your own "
                f"risk: {' '.join(f'--package {name}=VERSION' for name in lacking)}\nThe whole output is in {log}."
            ),
        )
    return ToolchainError(
        what,
        why=f"{error.why}\nRegistry: {settings.registry_setting('')}",
        next_step=(
            "Check npm's registry (npm_config_registry or .npmrc) and the proxy (HTTPS_PROXY), then run the "
            f"same command again.\nThe whole output is in {log}."
        ),
    )


DISTRUST = re.compile(
    r"\b(?:UNABLE_TO_[A-Z_]*(?:CERT|ISSUER|SIGNATURE)[A-Z_]*|CERT_[A-Z_]+|SELF_SIGNED_CERT_IN_CHAIN"
    r"|DEPTH_ZERO_SELF_SIGNED_CERT|ERR_TLS_CERT[A-Z_]*|unable to (?:get|verify)[^\n]*certificate)"
)
"""How bun names a certificate that it does not trust (OpenSSL's X509_V_ERR_*, as node spells them)."""

_LACKING = re.compile(r'No version matching "([^"\n]+)" found for specifier "([^"\n]+)"')
"""How bun names a package in a version that the registry does not have (but other versions of it)."""
