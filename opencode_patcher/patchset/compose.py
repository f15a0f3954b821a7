"""Turns the series, the new files and the values into a Change: which files get which content. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.version import Version
from opencode_patcher.patchset import hints, meaning
from opencode_patcher.patchset.meaning import Flaw
from opencode_patcher.patchset.misfit import explain
from opencode_patcher.patchset.newfiles import NewFile, of_release
from opencode_patcher.patchset.parse import FileHunks, parse
from opencode_patcher.patchset.place import Placed, Placement, place
from opencode_patcher.patchset.render import render_file, render_patch
from opencode_patcher.patchset.series import Patch, Series, TouchedFile

ReadPristine = Callable[[str], bytes | None]
"""Returns a file of the pristine release by its path in the repository; None when there is none."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What turns a pristine release into a patched one: the new content of each file by path, and where each hunk went.

    ``digest`` is the SHA-256 (hex) of the files, so that equal changes have equal digests.
    """

    files: Mapping[str, bytes]
    placements: tuple[Placement, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(self.files)))
        object.__setattr__(self, "digest", _digest(self.files))


@dataclass(frozen=True, kw_only=True)
class FileOutcome:
    """The result for one file of one patch. ``path`` is the place that was used, None when there is none. ``hunks``
    were placed in the text ``before``; ``flaws`` say why inserted code cannot work there. ``excused`` means that the
    release does not need the file.
    """

    target: TouchedFile
    path: str | None
    hunks: FileHunks | None = None
    before: str = ""
    placed: Placed | None = None
    flaws: tuple[Flaw, ...] = ()
    excused: bool = False


def compose(
    series: Series,
    new_files: Sequence[NewFile],
    values: Mapping[str, str],
    read: ReadPristine,
    *,
    version: Version | None = None,
) -> Change:
    """Render, check and place every patch in the order of the series, and render the new files.

    ``version`` is the release's; patches and new files for other releases are left out, and so are files that the
    release does not need (``since`` and ``until`` in ``Touches``). Raises PatchError for a malformed patch or template,
    a target that is gone, a new file that upstream has too, an insert that cannot work; and its subclass MisfitError
    for a hunk that does not fit.
    """
    texts: dict[str, str] = {}
    placements: list[Placement] = []
    for patch, found in walk(series, values, read, version=version):
        for outcome in found:
            if outcome.excused:
                continue
            if outcome.path is None or outcome.placed is None:
                raise _target_gone(patch, outcome.target)
            if outcome.placed.misfits:
                raise explain(outcome.placed.misfits[0], outcome.before)
            if outcome.flaws:
                raise _flawed(patch, outcome.flaws[0])
            texts[outcome.path] = outcome.placed.text
            placements += outcome.placed.placements
    files = {path: text.encode("utf-8") for path, text in texts.items()}
    files = {path: content for path, content in files.items() if content != read(path)}
    for new_file in of_release(new_files, version):
        if read(new_file.path) is not None:
            raise PatchError(
                f"The new file {new_file.path} already exists in this release.",
                why=f"{new_file.template} would replace an upstream file.",
                next_step="Rename it, or change the upstream file with a patch.",
            )
        files[new_file.path] = _content(new_file, values)
    return Change(files=files, placements=tuple(placements))


def walk(
    series: Series, values: Mapping[str, str], read: ReadPristine, *, version: Version | None = None
) -> Iterator[tuple[Patch, tuple[FileOutcome, ...]]]:
    """Each patch with its outcomes in the files as the previous patches left them.

    A file in which a hunk does not fit stays unchanged. Raises PatchError as ``outcomes`` does.
    """
    texts: dict[str, str] = {}

    def current(path: str) -> bytes | None:
        return texts[path].encode("utf-8") if path in texts else read(path)

    for patch in series.patches:
        found = outcomes(patch, values, current, version=version)
        texts |= {item.path: item.placed.text for item in found if item.path is not None and item.placed is not None}
        yield patch, found


def outcomes(
    patch: Patch, values: Mapping[str, str], read: ReadPristine, *, version: Version | None = None
) -> tuple[FileOutcome, ...]:
    """Render and check one patch, and place its hunks in the files that ``read`` returns.

    A hunk that does not fit, or a missing file, is part of the outcome. PatchError is raised only when the patch itself
    is wrong.
    """
    by_path = {file.path: file for file in parse(patch, render_patch(patch.name, patch.text, values))}
    return tuple(_outcome(patch, target, by_path[target.path], read, version) for target in patch.header.touches)


def _outcome(
    patch: Patch, target: TouchedFile, hunks: FileHunks, read: ReadPristine, version: Version | None
) -> FileOutcome:
    hunks = hunks.without(target.left_out(version))
    if not target.releases.has(version) or not hunks.hunks:
        return FileOutcome(target=target, path=None, hunks=hunks, excused=True)
    for path in target.places:
        content = read(path)
        if content is None:
            continue
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise PatchError(
                f"The patch '{patch.name}' does not fit {path}.",
                why=f"The file is not UTF-8 text: {error.reason} at byte {error.start}.",
                next_step=hints.show_patch(patch.name),
            ) from error
        placed = place(patch.name, path, hunks, text)
        found = meaning.flaws(path, hunks, placed)
        return FileOutcome(target=target, path=path, hunks=hunks, before=text, placed=placed, flaws=found)
    return FileOutcome(target=target, path=None, hunks=hunks, excused=target.may_lack(version))


def _content(new_file: NewFile, values: Mapping[str, str]) -> bytes:
    if not new_file.rendered:
        return new_file.content
    try:
        text = new_file.content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PatchError(
            f"The template {new_file.template} is not UTF-8 text.",
            why=f"{error.reason} at byte {error.start}.",
        ) from error
    return render_file(new_file.template, text, values).encode("utf-8")


def _target_gone(patch: Patch, target: TouchedFile) -> PatchError:
    return PatchError(
        f"The patch '{patch.name}' does not fit: {target.path} is not in this release.",
        why=f"Looked for it at: {', '.join(target.places)}.",
        next_step=hints.show_patch(patch.name),
    )


def _flawed(patch: Patch, flaw: Flaw) -> PatchError:
    return PatchError(
        f"The patch '{patch.name}' fits but cannot work: {flaw}.",
        why="The inserted code would never run, or would mean something else than intended.",
        next_step=hints.show_patch(patch.name),
    )


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for path in sorted(files):
        # With the lengths, the end of a file cannot be mistaken for the path of the next one.
        name, content = path.encode("utf-8"), files[path]
        whole.update(f"{len(name)} {len(content)}\n".encode())
        whole.update(name)
        whole.update(content)
    return whole.hexdigest()
