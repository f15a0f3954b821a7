"""``opencode-patcher release``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import ReleaseError, UsageError
from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.base.progress import Reporter
    from opencode_patcher.drill import Report
    from opencode_patcher.pipeline import Request
    from opencode_patcher.release import Made, Order, Verification
    from opencode_patcher.release.comparison import Difference


@click.command
@click.argument("ref", required=False)
@click.option(
    "--target",
    "names",
    multiple=True,
    metavar="all|NAME",
    help="A platform such as linux-x64-musl; may be given again. `all` are those that OpenCode is released for.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the release is written. A former release there is replaced.",
)
@click.option(
    "--verify",
    "released",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Check the sums of a release, build it again and compare every digest.",
)
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Build a target also without native packages that cannot be had, where OpenCode can do without them.",
)
@click.option(
    "--drill",
    "drill_set",
    type=click.Choice(["quick", "all"]),
    default="quick",
    show_default=True,
    help="The scenarios that the binary for this machine has to pass.",
)
@click.option(
    "--repository",
    default="",
    metavar="OWNER/NAME",
    help="Where the release is going to be published on GitHub; the install scripts fetch it from there.",
)
@click.option("--release", "tag", default="", metavar="TAG", help="The tag of the release in that repository.")
@options.source_option
@options.built_in_catalog_option
@click.option("--web-ui/--no-web-ui", default=False, help="Embed the web UI.  [default: no-web-ui]")
@click.option("--discard-edits", is_flag=True, help="Throw away what was changed by hand in the work tree.")
@options.no_wait_option
@options.progress_options
def command(
    ref: str | None,
    names: tuple[str, ...],
    out: Path | None,
    released: Path | None,
    allow_missing: bool,
    drill_set: str,
    repository: str,
    tag: str,
    source: str | None,
    catalog: Path | None,
    web_ui: bool,
    discard_edits: bool,
    wait: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Make a release: archives for all platforms, checksums, a bill of materials, notes and notices.

    REF is a release tag of OpenCode such as v1.18.3; without it the release of the project's lock is taken. All
    platforms are built on this machine; the binary that runs here is drilled. Nothing is published.
    """
    from opencode_patcher import pipeline
    from opencode_patcher.upstream import DEFAULT_SOURCE

    _require_fitting(ref, names, out, released)
    request = pipeline.Request(
        source=source or DEFAULT_SOURCE,
        ref=ref,
        models_json=catalog,
        web_ui=web_ui,
        discard_edits=discard_edits,
        wait=wait,
    )
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    if released:
        _verify(released, request, reporter, as_json=as_json)
        return
    assert out is not None
    from opencode_patcher.release import Order, Published
    from opencode_patcher.toolchain import targets

    order = Order(
        request=request,
        targets=targets.select(names),
        allow_missing=allow_missing,
        published=Published(repository=repository, release=tag),
    )
    _make(order, out, reporter, quick=drill_set == "quick", as_json=as_json)


def _require_fitting(ref: str | None, names: tuple[str, ...], out: Path | None, released: Path | None) -> None:
    if released and (ref or names or out):
        raise UsageError(
            "--verify takes no release, target or --out.",
            why="What is built again stands in the release's manifest.",
            next_step=f"opencode-patcher release --verify {released}",
        )
    if not released and not (names and out):
        raise UsageError(
            f"{'--target' if out else '--out'} is missing.",
            next_step="opencode-patcher release --target all --out DIR, or opencode-patcher release --verify DIR",
        )


def _make(order: Order, out: Path, reporter: Reporter, *, quick: bool, as_json: bool) -> None:
    from opencode_patcher import drill, release
    from opencode_patcher.base.store import open_store

    def drilled(binary: Path, reporter: Reporter) -> Report:
        return drill.run(binary, drill.select((), quick=quick), reporter=reporter)

    made = release.release(order, out, open_store(), reporter, drilled)
    if as_json:
        output.show_json(as_data(made))
    else:
        show(made)


def _verify(place: Path, request: Request, reporter: Reporter, *, as_json: bool) -> None:
    from opencode_patcher import release
    from opencode_patcher.base.store import open_store

    found = release.verify(place, request, open_store(), reporter)
    if as_json:
        output.show_json(verification_data(place, found))
        raise click.exceptions.Exit(ReleaseError.exit_code if found.differences else 0)
    if found.differences:
        raise ReleaseError(
            f"{len(found.differences)} of the release's files came out otherwise.",
            why="\n".join(map(explained, found.differences)),
            next_step="Verify it on the machine that made it; if it differs there too, do not use the release.",
        )
    output.echo(f"The release is what it says: {len(found.identical)} files built again, byte for byte the same.")
    for sentence in (*found.uncompared, *_published(found)):
        output.echo(sentence)


def explained(one: Difference) -> str:
    """The file, and what differs in it: the program in an archive or only how it is packed, entries of the manifest."""
    if one.binary is None:
        return f"{one.name}: {', '.join(one.entries)}" if one.entries else one.name
    if one.binary:
        return f"{one.name}: the program differs"
    return f"{one.name}: the program is the same, another version of zlib packed it otherwise"


def _published(found: Verification) -> list[str]:
    """Where the install scripts fetch from, which the release says of itself."""
    there = found.manifest.published
    if not there.repository:
        return []
    return [f"Its install scripts fetch the release {there.release} of {there.repository}: see that you know it."]


def as_data(made: Made) -> dict[str, object]:
    """What ``--json`` prints of a new release: where it lies, its manifest, and the drill."""
    from opencode_patcher.drill.verdict.report import as_json
    from opencode_patcher.release import manifest

    return {
        "directory": str(made.directory),
        "manifest": manifest.as_data(made.manifest),
        "drill": as_json(made.report) if made.report else None,
    }


def verification_data(place: Path, found: Verification) -> dict[str, object]:
    """What ``--json`` prints of a verification. ``not_compared`` are sentences."""
    return {
        "directory": str(place),
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


def show(made: Made) -> None:
    """The archives, what the drill said, and how to check them."""
    from opencode_patcher.drill.verdict.report import summary

    output.show_table(
        ("target", "archive", "MB", "binary MB"),
        (
            (one.target, one.archive.name, f"{one.archive.size / 1e6:.1f}", f"{one.binary.size / 1e6:.1f}")
            for one in made.manifest.products
        ),
    )
    if made.report:
        output.block(summary(made.report))
    output.echo(f"The release is in {made.directory}")
    output.echo(f"To build it again and compare: opencode-patcher release --verify {made.directory}")
