"""Where a release will be published: a repository and the tag of the release in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opencode_patcher.base.errors import UsageError

_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True, kw_only=True)
class Published:
    """``repository`` is OWNER/NAME, ``release`` a git tag; both are "" when unknown. Both end up in the install
    scripts, so neither may contain anything that a shell would interpret.

    Raises UsageError for anything else, and for one without the other.
    """

    repository: str = ""
    release: str = ""

    def __post_init__(self) -> None:
        for value, form, what, example in (
            (self.repository, _REPOSITORY, "repository", "--repository OWNER/NAME"),
            (self.release, _TAG, "tag of a release", "--release v1.18.3-1"),
        ):
            if value and not form.fullmatch(value):
                raise UsageError(
                    f"'{value}' is not a valid {what}.",
                    why="It may have letters, digits, dots, dashes and underscores.",
                    next_step=f"Try: {example}",
                )
        if bool(self.repository) != bool(self.release):
            raise UsageError(
                f"{'--release' if self.repository else '--repository'} is missing.",
                why="The install scripts fetch one release of one repository.",
                next_step=f"Try: --repository {self.repository or 'OWNER/NAME'} --release {self.release or 'TAG'}",
            )
