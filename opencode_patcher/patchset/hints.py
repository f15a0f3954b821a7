"""The commands that errors of this package point to. The command line has to offer them."""

from __future__ import annotations

from opencode_patcher.base.version import version_of

SHOW_PATCH = "opencode-patcher patches show {name}"
"""Shows one patch: its header, its hunks and where each of them goes."""

REBASE = "opencode-patcher patches rebase {tag}"
"""Brings the patches to another release, with a conflict where one does not fit."""


def discard_edits(tree: str) -> str:
    """The command that builds a release again and discards manual changes in its work tree, which has the name of the
    release's tag.
    """
    release = f" {tree}" if version_of(tree) else ""
    return f"opencode-patcher build{release} --discard-edits"


def show_patch(name: str) -> str:
    """The next step for a patch that is wrong or does not fit."""
    return f"To see more: {SHOW_PATCH.format(name=name)}"


def rebase(tag: str) -> str:
    """The next step for a release that the patches do not fit."""
    return f"To fix the patches: {REBASE.format(tag=tag)}"
