"""Whether the series fits a release in text, names and meaning: each patch's state, and where each hunk lands. Pure.

One ``Checker`` looks at many releases. Contents have a name (the blob); the results for a patch and contents of the
same names are reused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.version import Version
from opencode_patcher.patchset import expectations, names
from opencode_patcher.patchset.compose import FileOutcome, outcomes
from opencode_patcher.patchset.expectations import Difference, Expectation
from opencode_patcher.patchset.meaning import Flaw
from opencode_patcher.patchset.misfit import explain
from opencode_patcher.patchset.names import HookNames, MissingName, Need
from opencode_patcher.patchset.newfiles import NewFile, of_release
from opencode_patcher.patchset.place import Misfit, Placement
from opencode_patcher.patchset.series import Patch, Series


class PatchStatus(StrEnum):
    """The state of a patch, or of its part for one file, in a release. The worst comes first."""

    GONE = "target gone"
    CONFLICT = "conflict"
    MOVED = "target moved"
    NEW_PLACE = "applies at a new place"
    APPLIES = "applies"
    ALREADY = "already upstream"
    NOT_NEEDED = "not for this release"

    @property
    def fits(self) -> bool:
        """Whether every hunk has exactly one place, or needs none."""
        return self not in (PatchStatus.GONE, PatchStatus.CONFLICT)


@dataclass(frozen=True, kw_only=True)
class Content:
    """A file's bytes; contents of the same ``name`` are the same."""

    name: str
    data: bytes


Read = Callable[[str], Content | None]
"""Returns a file of a release by its path in the repository; None when there is none."""


@dataclass(frozen=True, kw_only=True)
class FileCheck:
    """One file of one patch. ``path`` is where it was found, None when it was not. ``missing`` are names that the hunks
    use and the file lacks, ``imported`` what the hunks import, ``flaws`` why inserted code cannot work there.
    ``explanation`` tells people what does not fit, or what happened to the file; it may have several lines.
    """

    target: str
    path: str | None
    state: PatchStatus
    placements: tuple[Placement, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    missing: tuple[MissingName, ...] = ()
    imported: tuple[Need, ...] = ()
    explanation: str = ""


@dataclass(frozen=True, kw_only=True)
class PatchCheck:
    """One patch: the worst state of its files."""

    patch: str
    state: PatchStatus
    files: tuple[FileCheck, ...]


@dataclass(frozen=True, kw_only=True)
class ReleaseCheck:
    """One release. ``problems`` has a sentence for each other obstacle, such as a new file that upstream has too.
    ``differences`` lists where the code that the feature relies on is not as expected.
    """

    tag: str
    version: Version
    patches: tuple[PatchCheck, ...]
    missing: tuple[MissingName, ...] = ()
    problems: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def applies(self) -> bool:
        """Text: whether every hunk has exactly one place and nothing else is wrong."""
        return all(patch.state.fits for patch in self.patches) and not self.problems

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """Inserts that have a place but cannot work there."""
        return tuple(flaw for patch in self.patches for file in patch.files for flaw in file.flaws)

    @property
    def works(self) -> bool:
        """Whether it applies, every name it uses exists, and every insert can work."""
        return self.applies and not self.missing and not self.flaws

    @property
    def fits(self) -> bool:
        """Whether it works, and upstream still does what the feature relies on: text, names and meaning agree."""
        return self.works and not self.differences

    @property
    def gone(self) -> tuple[str, ...]:
        """The targets that the release does not have."""
        return tuple(
            file.target for patch in self.patches for file in patch.files if file.path is None and not file.state.fits
        )


Values = Callable[[str], Mapping[str, str]]
"""Returns the values of the templates' variables for a release's tag."""


class Checker:
    """Checks releases against one series and one set of new files. Recurring contents are checked once."""

    def __init__(
        self,
        series: Series,
        new_files: Sequence[NewFile],
        values: Values,
        expected: Sequence[Expectation] = (),
    ) -> None:
        self._series = series
        self._expected = tuple(expected)
        self._new_files = tuple(new_files)
        self._values = values
        self._patches: dict[tuple[object, ...], tuple[tuple[FileCheck, ...], Mapping[str, Content]]] = {}
        self._hooks: dict[tuple[object, ...], HookNames] = {}
        self._imported: _Imported | None = None
        self._imports: dict[tuple[NewFile, ...], names.Imports] = {}

    def with_series(self, series: Series) -> Checker:
        """The same checker for a series that differs only in the places it looks at."""
        other = Checker(series, self._new_files, self._values, self._expected)
        other._imports = self._imports
        return other

    def check(self, tag: str, version: Version, read: Read) -> ReleaseCheck:
        """Check one release. Raises PatchError only for a malformed patch."""
        values = self._values(tag)
        changed: dict[str, Content] = {}

        def current(path: str) -> Content | None:
            return changed[path] if path in changed else read(path)

        patches: list[PatchCheck] = []
        for patch in self._series.patches:
            files, made = self._patch(patch, values, current, version)
            changed.update(made)
            patches.append(PatchCheck(patch=patch.name, state=worst(files), files=files))
        problems = [
            f"The new file {file.path} already exists in this release."
            for file in of_release(self._new_files, version)
            if read(file.path) is not None
        ]
        checked = [file for patch in patches for file in patch.files]
        hooks = tuple(need for file in checked for need in file.imported)
        missing = {
            *self._missing_imports(read, hooks, version),
            *(name for file in checked for name in file.missing),
        }
        return ReleaseCheck(
            tag=tag,
            version=version,
            patches=tuple(patches),
            missing=tuple(sorted(missing)),
            problems=tuple(problems),
            differences=expectations.differences(self._expected, version, lambda path: _data(read(path))),
        )

    def _missing_imports(self, read: Read, hooks: tuple[Need, ...], version: Version) -> tuple[MissingName, ...]:
        """As ``Imports.missing``. The answer for the previous release is reused when the contents are the same."""
        files = of_release(self._new_files, version)
        before = self._imported
        if (
            before
            and (before.files, before.hooks) == (files, hooks)
            and all(_name(read(path)) == name for path, name in before.seen.items())
        ):
            return before.missing
        seen: dict[str, str | None] = {}

        def text(path: str) -> str | None:
            content = read(path)
            seen[path] = _name(content)
            return None if content is None else content.data.decode("utf-8", "replace")

        if files not in self._imports:
            self._imports[files] = names.Imports(files)
        found = self._imports[files].missing(text, hooks)
        self._imported = _Imported(files=files, hooks=hooks, seen=seen, missing=found)
        return found

    def _patch(
        self, patch: Patch, values: Mapping[str, str], read: Read, version: Version
    ) -> tuple[tuple[FileCheck, ...], Mapping[str, Content]]:
        places = [path for target in patch.header.touches for path in target.places]
        contents = {path: content for path in places if (content := read(path))}
        excused = tuple(target.path for target in patch.header.touches if target.may_lack(version))
        left_out = tuple(target.left_out(version) for target in patch.header.touches)
        used = tuple(value for name, value in sorted(values.items()) if name in patch.text)
        key = (
            patch.name,
            excused,
            left_out,
            used,
            *(contents[path].name if path in contents else None for path in places),
        )
        if key not in self._patches:
            found = _outcomes(patch, values, contents, version)
            made = {
                item.path: Content(name=f"{contents[item.path].name}+{patch.name}", data=item.placed.text.encode())
                for item in found
                if item.path is not None and item.placed is not None and not item.placed.misfits
            }
            self._patches[key] = (tuple(self._file(patch, item) for item in found), made)
        return self._patches[key]

    def _file(self, patch: Patch, item: FileOutcome) -> FileCheck:
        checked = _file_check(item)
        if not checked.placements or checked.misfits:
            return checked
        key = (patch.name, item.path, item.hunks)
        if key not in self._hooks:
            self._hooks[key] = names.hook_names(item)
        used = self._hooks[key]
        return replace(checked, missing=names.missing_locals(item, used), imported=used.imported)


def explained(check: ReleaseCheck, explanations: Mapping[str, str]) -> ReleaseCheck:
    """The same check with ``explanations`` added, by ``FileCheck.target``."""

    def more(file: FileCheck) -> FileCheck:
        added = explanations.get(file.target, "")
        return replace(file, explanation="\n".join(part for part in (file.explanation, added) if part))

    patches = tuple(replace(patch, files=tuple(more(file) for file in patch.files)) for patch in check.patches)
    return replace(check, patches=patches)


def worst(files: Sequence[FileCheck]) -> PatchStatus:
    """The state of a patch: the worst of its files' states, and ALREADY or NOT_NEEDED only when all are."""
    order = list(PatchStatus)
    return min((file.state for file in files), key=order.index, default=PatchStatus.NOT_NEEDED)


def _data(content: Content | None) -> bytes | None:
    return content.data if content else None


def _name(content: Content | None) -> str | None:
    return content.name if content else None


@dataclass(frozen=True, kw_only=True)
class _Imported:
    """The result for the imports of these files, and from which contents it was made (name by path)."""

    files: tuple[NewFile, ...]
    hooks: tuple[Need, ...]
    seen: Mapping[str, str | None]
    missing: tuple[MissingName, ...]


def _outcomes(
    patch: Patch, values: Mapping[str, str], contents: Mapping[str, Content], version: Version
) -> tuple[FileOutcome, ...]:
    def read(path: str) -> bytes | None:
        return contents[path].data if path in contents else None

    return outcomes(patch, values, read, version=version)


def _file_check(item: FileOutcome) -> FileCheck:
    if item.path is None or item.placed is None:
        return FileCheck(
            target=item.target.path,
            path=None,
            state=PatchStatus.NOT_NEEDED if item.excused else PatchStatus.GONE,
            explanation="" if item.excused else f"It is at none of its known places: {', '.join(item.target.places)}.",
        )
    placements, misfits = item.placed.placements, item.placed.misfits
    if misfits:
        state = PatchStatus.CONFLICT
    elif item.path == item.target.followed:
        state = PatchStatus.MOVED
    elif all(placement.already for placement in placements):
        state = PatchStatus.ALREADY
    elif item.path != item.target.path or any(placement.offset for placement in placements):
        state = PatchStatus.NEW_PLACE
    else:
        state = PatchStatus.APPLIES
    return FileCheck(
        target=item.target.path,
        path=item.path,
        state=state,
        placements=placements,
        misfits=misfits,
        flaws=item.flaws,
        explanation="\n".join(_explained(misfit, item.before) for misfit in misfits),
    )


def _explained(misfit: Misfit, text: str) -> str:
    error = explain(misfit, text)
    return f"{error.what}\n{error.why}"


def elsewhere(patch: Patch, target: str, values: Mapping[str, str], candidates: Mapping[str, bytes]) -> str | None:
    """The one path among ``candidates`` (content by path) where all of the patch's hunks for ``target`` fit.

    For a missing file that history does not explain: a hint for people, never followed automatically.
    """
    only = replace(
        patch,
        header=replace(
            patch.header,
            touches=tuple(replace(item, older=(), followed=None) for item in patch.header.touches),
        ),
    )
    fitting = []
    for path, content in candidates.items():
        try:
            found = outcomes(only, values, {target: content}.get)
        except PatchError:
            continue
        if any(item.target.path == target and item.placed and not item.placed.misfits for item in found):
            fitting.append(path)
    return fitting[0] if len(fitting) == 1 else None
