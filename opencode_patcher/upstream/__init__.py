"""Upstream's releases, and the parts of one release's source that a build needs.

    releases.list_releases ──> lock.check ──> repository.opened ──> workspace.closure ──> worktree.checkout

Nothing here patches or builds. A ``Snapshot`` reads the files of any fetched release without a work tree.
"""

from opencode_patcher.base.line import OPENCODE_1

DEFAULT_SOURCE = OPENCODE_1.source
"""Where OpenCode is developed; ``--source`` names another repository (URL or path)."""
