"""A binary is packed only if it is for its target and contains the published runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencode_patcher.base.errors import ReleaseError
from opencode_patcher.release import artifact, sums
from opencode_patcher.toolchain import targets
from tests.release.release_samples import MUSL, elf, macho, signable

TARGET = targets.parse("linux-x64-musl")
BODY = bytes(range(256)) * 16 * 100


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    path = tmp_path / "runtimes" / "bun-linux-x64-musl-v1.3.14"
    path.parent.mkdir()
    path.write_bytes(elf(62, MUSL).ljust(4096, b"r") + BODY)
    return path


def binary(tmp_path: Path, head: bytes, body: bytes = BODY) -> Path:
    path = tmp_path / "opencode"
    path.write_bytes(head.ljust(4096, b"b") + body + b"the program")
    return path


def test_archive_and_binary_are_described(tmp_path: Path, runtime: Path) -> None:
    made = binary(tmp_path, elf(62, MUSL))
    done = artifact.pack(TARGET, made, runtime=runtime, beside=(), place=tmp_path, without=("a@1",))
    assert done.archive.name == "opencode-linux-x64-musl.tar.gz"
    assert done.archive.size == (tmp_path / done.archive.name).stat().st_size
    assert sums.of(tmp_path, ["opencode", done.archive.name]) == {
        "opencode": done.binary.sha256,
        done.archive.name: done.archive.sha256,
    }
    assert (done.target, done.without) == ("linux-x64-musl", ("a@1",))


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [
        (macho(), BODY, "it is for darwin, not for linux; it is for arm64, not for x64"),
        (elf(62), BODY, "not that of musl"),
        (b"nothing", BODY, "not a 64-bit ELF"),
        (elf(62, MUSL), bytes(len(BODY)), "is not the published bun-linux-x64-musl-v1.3.14"),
    ],
)
def test_a_wrong_binary_is_not_packed(tmp_path: Path, runtime: Path, head: bytes, body: bytes, reason: str) -> None:
    with pytest.raises(ReleaseError, match="for linux-x64-musl is wrong") as caught:
        artifact.pack(TARGET, binary(tmp_path, head, body), runtime=runtime, beside=(), place=tmp_path, without=())
    assert reason in caught.value.why
    assert not (tmp_path / TARGET.archive).exists()


def test_an_unwritable_directory_is_reported(tmp_path: Path, runtime: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot be written"):
        artifact.pack(
            TARGET,
            binary(tmp_path, elf(62, MUSL)),
            runtime=runtime,
            beside=(),
            place=tmp_path / "gone",
            without=(),
        )


def test_a_binary_for_macos_without_a_valid_signature_is_not_packed(tmp_path: Path) -> None:
    target = targets.parse("darwin-arm64")
    runtime, made = tmp_path / "bun-darwin-aarch64-v1.3.14", tmp_path / "opencode"
    runtime.write_bytes(signable())
    made.write_bytes(signable())
    with pytest.raises(ReleaseError) as caught:
        artifact.pack(target, made, runtime=runtime, beside=(), place=tmp_path, without=())
    assert "the signature is cut off" in caught.value.why or "hash" in caught.value.why
