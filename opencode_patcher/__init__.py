"""Builds OpenCode with combined models.

The rooms: ``upstream`` (releases and source), ``patchset`` (hooks and new files), ``models`` (identity of a
model), ``toolchain`` (bun and the build), ``drill`` (faults against a real binary), ``install`` (activation)
and ``cli`` (the only room that prints).
"""

__version__ = "0.1.0"
