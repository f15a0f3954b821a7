"""Which files of a release are checked out, as sparse-checkout patterns (gitignore's syntax). Pure."""

from __future__ import annotations

from opencode_patcher.upstream.workspace import Workspace

BESIDE_PACKAGES = ("/patches/", "/.github/TEAM_MEMBERS")
"""What the build reads outside the packages: patches of dependencies, and the team's names (packages/script)."""

NEVER = ("/packages/opencode/test/tool/fixtures/models-api.json",)
"""A recorded catalogue of several megabytes, which a copy of the repository may lack."""


def patterns(workspace: Workspace, *, with_tests: bool) -> tuple[str, ...]:
    """The root's files and the workspace's packages, without their tests unless asked for."""
    packages = tuple(f"/{package}/" for package in workspace.packages)
    tests = () if with_tests else tuple(f"!{package}test/" for package in packages)
    return ("/*", "!/*/", *BESIDE_PACKAGES, *packages, *tests, *(f"!{path}" for path in NEVER))
