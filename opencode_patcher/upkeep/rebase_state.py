"""The progress of a work tree of the patches; kept in the tree's git directory."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.base.documents import DocumentError, MissingError
from opencode_patcher.base.errors import StoreError
from opencode_patcher.base.line import OPENCODE_1, Line, of_version
from opencode_patcher.base.version import Release, version_of

FILE_NAME = "opencode-patcher-patches.json"


@dataclass(frozen=True, kw_only=True)
class RebaseState:
    """``release`` is what the tree is made from, ``base`` the release that the patches fit as written. ``queue`` has
    the patches without a commit, in order. ``current`` is the one the user is working on: its conflict is being
    resolved, or with ``editing`` its commit is being changed. ``moved`` maps targets to their place in ``release`` if
    it was found in history.
    """

    release: Release
    base: Release
    queue: tuple[str, ...]
    current: str = ""
    editing: bool = False
    moved: dict[str, str] = field(default_factory=dict)

    @property
    def line(self) -> Line:
        """The line of OpenCode whose patches these are."""
        return of_version(self.release.version) or OPENCODE_1


def read(git_dir: Path) -> RebaseState | None:
    """The state of a work tree, None when it has none. Raises StoreError when it is damaged."""
    path = git_dir / FILE_NAME
    try:
        found = documents.read(path, RebaseState)
        for release in (found.release, found.base):
            if version_of(release.tag) != release.version:
                raise DocumentError(f"{release.tag!r} is not the tag of that version.")
    except MissingError:
        return None
    except DocumentError as error:
        raise StoreError(
            f"{path} cannot be read.",
            why=str(error),
            next_step="Discard the work tree and start again: opencode-patcher patches rebase --abort",
        ) from error
    return found


def write(git_dir: Path, state: RebaseState) -> None:
    """Replace the state. Raises StoreError when it cannot be written."""
    files.write_json(git_dir / FILE_NAME, asdict(state))
