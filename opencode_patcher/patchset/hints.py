"""The commands that errors of this package point to. The command line has to offer them."""

from __future__ import annotations

SHOW_PATCH = "opencode-patcher patches show {name}"
"""Shows one patch: its header, its hunks and where each of them goes."""

DISCARD_EDITS = "opencode-patcher build --discard-edits"
"""Builds again and discards manual changes in the work tree."""

REBASE = "opencode-patcher patches rebase {tag}"
"""Brings the patches to another release, with a conflict where one does not fit."""


def show_patch(name: str) -> str:
    """The next step for a patch that is wrong or does not fit."""
    return f"To see more: {SHOW_PATCH.format(name=name)}"


def rebase(tag: str) -> str:
    """The next step for a release that the patches do not fit."""
    return f"To fix the patches: {REBASE.format(tag=tag)}"
