"""``opencode-patcher reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import ReleaseError
from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.release import Reproduction
    from opencode_patcher.release.comparison import FileDifference


@click.command
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@options.source_option
@options.built_in_catalog_option
@options.discard_edits_option
@options.no_wait_option
@options.progress_options
def command(
    directory: Path,
    source: str | None,
    catalog: Path | None,
    discard_edits: bool,
    wait: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Rebuild a release and compare the bytes.

    DIR is a directory written by `opencode-patcher release`, or a downloaded release. Its checksums are checked, what
    its manifest names is built again, and every digest is compared. The exit code is 12 when a file differs.
    """
    from opencode_patcher import pipeline
    from opencode_patcher.base.request import Request
    from opencode_patcher.base.store import open_store
    from opencode_patcher.upstream import DEFAULT_SOURCE

    request = Request(source=source or DEFAULT_SOURCE, models_json=catalog, discard_edits=discard_edits, wait=wait)
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    found = pipeline.reproduce(directory, request, open_store(), reporter)
    if as_json:
        output.show_json(as_data(directory, found))
        raise click.exceptions.Exit(ReleaseError.exit_code if found.differences else 0)
    if found.differences:
        raise failure(found)
    if not quiet:
        show(found)


def as_data(directory: Path, found: Reproduction) -> dict[str, object]:
    """What ``--json`` prints. ``not_compared`` has a sentence for each file."""
    return {
        "directory": str(directory),
        "identical": list(found.identical),
        "differences": [
            {
                "name": one.name,
                "released": one.released,
                "rebuilt": one.rebuilt,
                "program_differs": one.binary,
                "entries": list(one.entries),
            }
            for one in found.differences
        ],
        "not_compared": list(found.uncompared),
    }


def failure(found: Reproduction) -> ReleaseError:
    """The error that names each file that differs."""
    return ReleaseError(
        f"{len(found.differences)} of the release's files differ.",
        why="\n".join(map(explained, found.differences)),
        next_step="Reproduce it on the machine that made it. If it differs there too, do not use the release.",
    )


def show(found: Reproduction) -> None:
    """Say what was compared, and what was not."""
    output.echo(f"The release is reproducible: {len(found.identical)} files rebuilt, byte for byte the same.")
    for sentence in found.uncompared:
        output.echo(sentence)
    there = found.manifest.published
    if there.repository:
        output.echo(
            f"Its install scripts download from the release {there.release} of {there.repository}. "
            "Make sure that you trust it."
        )


def explained(one: FileDifference) -> str:
    """The file, and what differs in it: the program in an archive, only how it is packed, or entries of the
    manifest."""
    if one.binary is None:
        return f"{one.name}: {', '.join(one.entries)}" if one.entries else one.name
    if one.binary:
        return f"{one.name}: the program differs"
    return f"{one.name}: the program is the same, but another version of zlib packed it differently"
