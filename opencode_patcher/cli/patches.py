"""``opencode-patcher patches``: what is changed in OpenCode, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from opencode_patcher.cli import HelpfulGroup, completion, mending, options, output

if TYPE_CHECKING:
    from opencode_patcher.patchset.compose import FileOutcome
    from opencode_patcher.patchset.series import Patch


@click.group(cls=HelpfulGroup)
def command() -> None:
    """List, show and update the patches."""


@command.command("list")
@options.line_option
@options.json_option
def list_patches(major: str | None, as_json: bool) -> None:
    """List the patches in the order in which they are applied."""
    from opencode_patcher.base import resources
    from opencode_patcher.patchset import series

    patches = series.load(resources.patches(options.line_of(major, ()))).patches
    if as_json:
        output.show_json({"patches": [_header(patch) for patch in patches]})
        return
    output.show_table(("patch", "what it does"), [(patch.name, patch.header.subject) for patch in patches])


@command.command("show")
@click.argument("name", shell_complete=completion.patches)
@options.ref_argument
@options.line_option
@options.source_option
@options.json_option
def show_patch(name: str, ref: str | None, major: str | None, source: str | None, as_json: bool) -> None:
    """Show a patch: why it exists, its hunks, and where each of them goes in the release REF.

    REF is a release tag; without it, the locked release is used.
    """
    from opencode_patcher import pipeline
    from opencode_patcher.base.mutex import one_at_a_time
    from opencode_patcher.base.request import Request
    from opencode_patcher.base.store import open_store
    from opencode_patcher.patchset.compose import outcomes
    from opencode_patcher.patchset.values import values_for
    from opencode_patcher.upkeep import mending
    from opencode_patcher.upstream import lock
    from opencode_patcher.upstream.repository import opened

    line = options.line_of(major, [ref])
    patch = mending.find_patch(name, line)
    request = Request(line=line, source=source or line.source, ref=ref)
    store, reporter = open_store(), output.TerminalReporter(quiet=True)
    release = pipeline.select(request, lock.current(store, line))
    with one_at_a_time(store, reporter), opened(store, request.source) as upstream:
        upstream.fetch([release], reporter)
        snapshot = upstream.snapshot(release)
        snapshot.prefetch(path for target in patch.header.touches for path in target.places)
        found = outcomes(patch, values_for(line, release), snapshot.read, version=release.version)
    if as_json:
        output.show_json({**_header(patch), "release": release.tag, "files": [_landed(item) for item in found]})
        return
    output.block(patch.text)
    output.echo(f"In {release.tag}:")
    for item in found:
        for place in _lines(item):
            output.echo(f"  {place}")


for work in (mending.edit, mending.rebase, mending.refresh):
    command.add_command(work)


def _header(patch: Patch) -> dict[str, object]:
    header = patch.header
    return {
        "name": patch.name,
        "subject": header.subject,
        "why": header.why,
        "obsolete_when": header.obsolete_when,
        "touches": [target.path for target in header.touches],
    }


def _landed(item: FileOutcome) -> Mapping[str, object]:
    placed = item.placed
    return {
        "path": item.path or item.target.path,
        "present": item.path is not None,
        "hunks": [
            {"hunk": place.hunk, "line": place.line, "function": place.function, "offset": place.offset}
            for place in (placed.placements if placed else ())
        ],
        "misfits": [misfit.hunk.number for misfit in (placed.misfits if placed else ())],
    }


def _lines(item: FileOutcome) -> list[str]:
    from opencode_patcher.patchset.misfit import explain

    if item.path is None or item.placed is None:
        return [f"{item.target.path}: not in this release"]
    lines = [
        f"{item.path}:{place.line}  hunk {place.hunk} in {place.function or 'the top level'}"
        for place in item.placed.placements
    ]
    for misfit in item.placed.misfits:
        lines += str(explain(misfit, item.before)).splitlines()
    return lines
