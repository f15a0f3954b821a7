"""The whole build against the same steps by hand, a repeat with nothing changed, and the size of a full clone.

The steps by hand are those of a person who already knows all the traps: partial, shallow and sparse clone,
``git apply`` of the finished change, ``bun install --ignore-scripts``, ``bun run build``. Neither side runs the drill.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

from opencode_patcher import pipeline
from opencode_patcher.base import git, process
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.install import builds
from opencode_patcher.toolchain import build as toolchain
from opencode_patcher.toolchain import bun, catalogue
from opencode_patcher.upstream import DEFAULT_SOURCE, lock, workspace
from opencode_patcher.upstream.repository import opened


def main() -> None:
    """Measure in a temporary store that already has bun and the models catalogue, which both sides need."""
    with tempfile.TemporaryDirectory(prefix="bench-build-") as root:
        measure(Path(root))


def measure(root: Path) -> None:
    """Print the figures; ``root`` is an empty directory."""
    reporter = SilentReporter()
    locked = lock.read_lock()
    store = open_store(root / "store")
    request = Request()
    program = bun.ensure(store, _required_bun(store, locked), locked.bun, reporter)
    models = catalogue.ensure(store, locked.catalogue, reporter)
    passed = builds.DrillResult(passed=("not run",), failed=(), failover_ms=None)

    def tool() -> None:
        pipeline.build(request, store, reporter, lock=locked, proof=lambda *_: passed)

    prepared = pipeline.prepare(request, locked.release, store, reporter)
    patch = root / "change.patch"
    patch.write_text(_as_diff(prepared.tree.path), encoding="utf-8")
    packages = prepared.workspace.packages
    shutil.rmtree(store.sources)
    shutil.rmtree(store.trees)

    # A first build by hand fills bun's package cache, so that neither side pays for the download alone.
    hand(root / "warm-up", program.path, models.path, patch, packages, locked.release.number, locked.release.tag)
    cold_hand = _timed(
        lambda: hand(
            root / "hand", program.path, models.path, patch, packages, locked.release.number, locked.release.tag
        )
    )
    cold = _timed(tool)
    transferred = _size(store.sources)
    again = min(_timed(tool) for _ in range(3))
    shutil.rmtree(store.builds)
    warm = _timed(tool)
    warm_hand = _timed(lambda: compile_by_hand(root / "hand", program.path, models.path, locked.release.number))

    print(f"cold build                  {cold:6.1f} s   by hand {cold_hand:6.1f} s   ratio {cold / cold_hand:.2f}")
    print(f"warm build (tree is ready)  {warm:6.1f} s   by hand {warm_hand:6.1f} s   ratio {warm / warm_hand:.2f}")
    print(f"repeat, nothing changed     {again:6.2f} s")
    full = _full_clone(root)
    print(
        f"git bytes fetched {transferred / 1e6:.1f} MB, full clone {full / 1e6:.1f} MB, ratio {transferred / full:.3f}"
    )


def hand(
    place: Path, program: Path, models: Path, patch: Path, packages: tuple[str, ...], version: str, tag: str
) -> None:
    """The steps from nothing to a binary, as typed in a shell."""
    git.run(
        "clone", "--quiet", "--filter=blob:none", "--depth=1", f"--branch={tag}", "--no-checkout", DEFAULT_SOURCE, place
    )
    patterns = ["/*", "!/*/", "/patches/", "/.github/TEAM_MEMBERS", *(f"/{name}/" for name in packages)]
    git.run("sparse-checkout", "set", "--no-cone", *patterns, "!/packages/*/test/", cwd=place)
    git.run("checkout", "--quiet", tag, cwd=place)
    git.run("apply", patch, cwd=place)
    environment = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    process.run([program, "install", "--ignore-scripts"], cwd=place, env=environment)
    compile_by_hand(place, program, models, version)


def compile_by_hand(place: Path, program: Path, models: Path, version: str) -> None:
    """The last of those steps."""
    environment = {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "OPENCODE_VERSION": version,
        "OPENCODE_CHANNEL": toolchain.CHANNEL,
        "MODELS_DEV_API_JSON": str(models),
    }
    arguments = ["run", "build", "--single", "--skip-install", "--skip-embed-web-ui"]
    process.run([program, *arguments], cwd=place / "packages" / "opencode", env=environment)


def _required_bun(store: Store, locked: lock.Lock) -> str:
    with opened(store, DEFAULT_SOURCE) as repository:
        repository.fetch([locked.release], SilentReporter())
        return workspace.closure(repository.snapshot(locked.release).package_texts()).bun


def _as_diff(tree: Path) -> str:
    git.run("add", "--intent-to-add", "packages", cwd=tree)
    return git.run("diff", "--", "packages", cwd=tree).stdout


def _full_clone(root: Path) -> int:
    """The size of a full clone's objects, in bytes. If the source is a local copy that cannot be cloned whole, the size
    of its own objects.
    """
    where = root / "full.git"
    clone = subprocess.run(
        ["git", "clone", "--quiet", "--mirror", DEFAULT_SOURCE, where], capture_output=True, check=False
    )
    if clone.returncode == 0:
        return _size(where / "objects")
    address = git.run("ls-remote", "--get-url", DEFAULT_SOURCE).stdout.strip()
    return _size(Path(urlparse(address).path) / "objects")


def _timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _size(directory: Path) -> int:
    return sum(path.lstat().st_size for path in directory.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
