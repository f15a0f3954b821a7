"""The programs that a build runs: git, and the bun that the release asks for."""

from __future__ import annotations

import re
from pathlib import Path

from opencode_patcher.base import documents, environment, files, git
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.errors import PatcherError
from opencode_patcher.base.store import Store
from opencode_patcher.doctor.finding import Finding, of_error
from opencode_patcher.toolchain import bun, platforms
from opencode_patcher.upstream import remote
from opencode_patcher.upstream.workspace import ROOT


def check_git() -> Finding:
    """Whether git is installed and supports partial, sparse fetches."""
    try:
        remote.require_git()
        version = git.run("--version").stdout.strip()
    except PatcherError as error:
        return of_error("git", error)
    return Finding(check="git", level="good", text=f"{version} ({remote.MINIMUM_GIT_TEXT} or newer is needed).")


def required_bun(tree: Path) -> str | None:
    """The version that a release's tree asks for; None without a tree."""
    try:
        manager = documents.read(tree / ROOT, dict[str, object]).get("packageManager")
    except DocumentError:
        return None
    found = re.match(r"bun@(\d+\.\d+\.\d+)", str(manager))
    return found[1] if found else None


def check_bun(store: Store | None, required: str | None, search_path: str) -> Finding:
    """Which bun a build will use. ``required`` is what the release asks for; None while unknown."""
    check = "bun"
    try:
        package = platforms.bun_package(platforms.detect())
    except PatcherError as error:
        return of_error(check, error)
    on_path = environment.find_program("bun", search_path)
    version = bun.version_of(on_path) if on_path else None
    if on_path and version is None:
        return Finding(
            check=check,
            level="warning",
            text=f"{on_path} does not run; a build fetches the bun it needs from the npm registry.",
            fix=f"Repair it or remove it: {on_path} --version",
        )
    here = f"{on_path} is bun {version}" if on_path else "No bun is on PATH"
    if required is None:
        text = f"{here}; which version the release needs is known once its source has been fetched."
        return Finding(check=check, level="good" if on_path else "unknown", text=text)
    if version and bun.satisfies(version, required):
        return Finding(check=check, level="good", text=f"{here}, which the release accepts ({required} or newer).")
    if store and files.is_file(bun.kept(store, required, package)):
        return Finding(check=check, level="good", text=f"{here}; bun {required} is in the store.")
    text = f"{here}; a build fetches bun {required} ({package}) from the npm registry."
    return Finding(check=check, level="good", text=text)
