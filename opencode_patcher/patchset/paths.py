"""Which paths a patch or a new file may name: inside the work tree, never git's own files, the same on
every system.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_GIT_DIRECTORY = re.compile(r"\.git[ .]*|git~\d+", re.IGNORECASE)
"""Names that some file systems treat as ``.git``: case is ignored, trailing dots and blanks are dropped, and NTFS
answers to the short name (git's own ``verify_path`` refuses the same)."""


def problem(path: str) -> str:
    """Why ``path`` (with slashes, relative to the repository's root) is refused, or "" when it is fine."""
    if not path:
        return "it is empty"
    if _CONTROL.search(path):
        return "it contains a control character"
    if "\\" in path or re.match(r"[A-Za-z]:", path):
        return "it is a Windows path; write it with slashes, relative to the repository"
    if path.startswith("/"):
        return "it is absolute"
    segments = path.split("/")
    if ".." in segments:
        return "it leads out of the tree"
    if "" in segments or "." in segments:
        return "it has an empty or '.' segment"
    if any(_GIT_DIRECTORY.fullmatch(segment) for segment in segments):
        return "it reaches into git's own directory"
    return ""
