"""A program for macOS gets a signature that macOS accepts, on any system."""

from __future__ import annotations

import hashlib
import struct

import pytest

from opencode_patcher.toolchain import macho_signature
from tests.release.release_samples import macho, signable

LIMIT = 5 * 4096 + 2048
"""Where the signature of the sample begins."""


def test_a_signed_program_is_valid_and_signing_it_again_changes_nothing() -> None:
    signed = macho_signature.sign(signable(), "opencode")
    assert macho_signature.flaws(signed) == []
    assert macho_signature.sign(signed, "opencode") == signed


def test_the_program_itself_does_not_change() -> None:
    before = signable()
    signed = macho_signature.sign(before, "opencode")
    changed = {at for at in range(LIMIT) if before[at] != signed[at]}
    commands = 32 + 3 * 72 + 16
    assert changed
    assert max(changed) < commands


def test_the_signature_is_laid_out_as_the_kernel_reads_it() -> None:
    """Read by the numbers of cs_blobs.h, without the code under test."""
    signed = macho_signature.sign(signable(), "opencode")
    magic, length, count, slot, offset = struct.unpack_from(">5I", signed, LIMIT)
    assert (magic, count, slot, offset) == (0xFADE0CC0, 1, 0, 20)
    assert LIMIT + length <= len(signed) < LIMIT + length + 16
    at = LIMIT + offset
    magic, length, version, flags, hashes, name, special, slots, limit = struct.unpack_from(">9I", signed, at)
    assert (magic, version, flags, special, slots, limit) == (0xFADE0C02, 0x20400, 0x20002, 0, 6, LIMIT)
    assert signed[at + name : at + hashes] == b"opencode\0"
    size, kind, _, page = struct.unpack_from(">4B", signed, at + 36)
    assert (size, kind, page) == (32, 2, 12)
    assert struct.unpack_from(">3Q", signed, at + 64) == (0, 5 * 4096, 1)
    last = signed[5 * 4096 : LIMIT]
    assert signed[at + hashes + 5 * 32 : at + length] == hashlib.sha256(last).digest()


def test_the_load_commands_cover_the_new_signature() -> None:
    signed = macho_signature.sign(signable(), "opencode")
    offset, size = struct.unpack_from("<II", signed, 32 + 3 * 72 + 8)
    _, in_memory, at, in_file = struct.unpack_from("<4Q", signed, 32 + 2 * 72 + 24)
    assert offset + size == at + in_file == len(signed)
    assert in_memory >= in_file
    assert in_memory % 0x4000 == 0


@pytest.mark.parametrize(
    ("at", "flaw"),
    [
        (300, "1 of 6 pages have a wrong hash"),
        (LIMIT - 1, "1 of 6 pages have a wrong hash"),
        (LIMIT + 20 + 35, f"it covers {LIMIT ^ 1} of {LIMIT} bytes"),
    ],
)
def test_a_changed_byte_is_found(at: int, flaw: str) -> None:
    signed = bytearray(macho_signature.sign(signable(), "opencode"))
    signed[at] ^= 1
    assert flaw in macho_signature.flaws(bytes(signed))


def test_the_faulty_signatures_of_bun_are_found() -> None:
    """A signature that covers the runtime but not the program, a cut-off one, and bytes behind the end."""
    assert macho_signature.flaws(signable(signature=8)) == ["the signature is cut off"]
    assert macho_signature.flaws(signable(tail=b"stale"))[0] == "the signature does not end where the file ends"
    padded = bytearray(macho_signature.sign(signable(), "opencode"))
    at = LIMIT + 20 + struct.unpack_from(">I", padded, LIMIT + 20 + 16)[0] + 5 * 32
    padded[at : at + 32] = hashlib.sha256(bytes(padded[5 * 4096 : LIMIT]).ljust(4096, b"\0")).digest()
    assert macho_signature.flaws(bytes(padded)) == ["1 of 6 pages have a wrong hash"]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (b"", "ends within"),
        (b"MZ" + bytes(100), "not a 64-bit Mach-O"),
        (macho(), "it has no signature"),
        (signable()[:100], "ends within"),
    ],
)
def test_a_program_that_cannot_be_signed_is_an_error(program: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        macho_signature.sign(program, "opencode")
