"""Upstream's releases, and the slim source of one of them.

    releases.list_releases ──> lock.check ──> source.fetch ──> workspace.closure ──> tree.checkout

Nothing here patches or builds. ``objects`` reads files of any fetched release without a work tree.
"""

DEFAULT_SOURCE = "https://github.com/anomalyco/opencode"
"""Where OpenCode is developed; ``--source`` names another repository (URL or path)."""
