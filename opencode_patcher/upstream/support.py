"""Which releases the patches support; the data is in ``support.json`` beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import documents
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.base.version import Release, age_of, version_of

SUPPORT_FILE = Path(__file__).with_name(OPENCODE_1.support)


@dataclass(frozen=True, kw_only=True)
class Support:
    """The tags of the first supported releases. There is no last one.

    From ``oldest`` on, every hunk has a place. From ``oldest_built`` on, the result also builds: before it, modules
    that our new files import were elsewhere. From ``oldest_tested`` on, upstream has the test helpers that our
    TypeScript tests use; older releases are tested by upstream's own tests and the drill.
    """

    oldest: str
    oldest_built: str
    oldest_tested: str

    def patches(self, release: Release) -> bool:
        """Whether the patches have to fit the release."""
        return _is_since(release, self.oldest)

    def builds(self, release: Release) -> bool:
        """Whether the release has to be built as well."""
        return _is_since(release, self.oldest_built)

    def tests(self, release: Release) -> bool:
        """Whether our TypeScript tests run inside the release."""
        return _is_since(release, self.oldest_tested)


def read_support(path: Path = SUPPORT_FILE) -> Support:
    """The window in a JSON file ``{"oldest", "oldest_built", "oldest_tested"}``, all tags.

    Raises SourceError when the file cannot be read or has other content.
    """
    try:
        said = documents.read(path, dict[str, str])
        oldest, built, tested = (_tag(said, name) for name in ("oldest", "oldest_built", "oldest_tested"))
    except DocumentError as error:
        raise SourceError(
            f"The support window {path} cannot be read.",
            why=str(error),
            next_step="Restore it from the project's history, or install opencode-patcher again.",
        ) from error
    return Support(oldest=oldest, oldest_built=built, oldest_tested=tested)


def of_line(line: Line) -> Support:
    """The window of a line. Raises SourceError as ``read_support`` does."""
    return read_support(SUPPORT_FILE.with_name(line.support))


def require_buildable(release: Release, support: Support) -> None:
    """Raises SourceError for a release that is too old to build."""
    if support.builds(release):
        return
    oldest, oldest_built = support.oldest, support.oldest_built
    raise SourceError(
        f"{release.tag} is too old to build.",
        why=(
            f"Releases from {oldest_built} on can be built. The patches fit from {oldest} on, but before "
            f"{oldest_built} the modules that our new files import are elsewhere."
        ),
        next_step=f"Build {oldest_built} or newer. Without REF, the locked release is built.",
    )


def _tag(said: Mapping[str, str], name: str) -> str:
    tag = said.get(name, "")
    if version_of(tag) is None:
        raise DocumentError(f"Its `{name}` is not a release tag.")
    return tag


def _is_since(release: Release, tag: str) -> bool:
    version = version_of(tag)
    return version is not None and age_of(release.tag, release.version) >= age_of(tag, version)
