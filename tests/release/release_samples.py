"""Programs in the shape of each format, and a small release, for the tests of the room."""

from __future__ import annotations

import struct

from opencode_patcher.base.version import Release
from opencode_patcher.release.manifest import Artifact, File, Manifest
from opencode_patcher.release.published import Published

GLIBC = "/lib64/ld-linux-x86-64.so.2"
MUSL = "/lib/ld-musl-x86_64.so.1"


def elf(machine: int = 62, interpreter: str = GLIBC, *, bits: int = 2) -> bytes:
    """A 64-bit ELF header with two program headers, the second of which names the loader."""
    loader = interpreter.encode() + b"\0"
    at = 64 + 2 * 56
    head = b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 2 if interpreter else 1, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 0, 0, 0)
    named = struct.pack("<IIQQQQQQ", 3, 4, at, 0, 0, len(loader), len(loader), 1)
    return head + load + named + loader


def macho(machine: int = 0x0100_000C) -> bytes:
    """A 64-bit Mach-O header; the default is arm64."""
    return struct.pack("<IIIIIIII", 0xFEED_FACF, machine, 0, 2, 0, 0, 0, 0)


def signable(machine: int = 0x0100_000C, *, signature: int = 64, tail: bytes = b"") -> bytes:
    """A Mach-O program of five and a half pages with room of ``signature`` bytes for a signature at its end."""
    limit, linkedit = 5 * 4096 + 2048, 5 * 4096
    segments = [
        (b"__PAGEZERO", 0, 0x1_0000_0000, 0, 0),
        (b"__TEXT", 0x1_0000_0000, linkedit, 0, linkedit),
        (b"__LINKEDIT", 0x1_0001_0000, 4096, linkedit, limit - linkedit + signature),
    ]
    commands = b"".join(
        struct.pack("<II16s4Q4I", 0x19, 72, *segment, 7, 5, 0, 0) for segment in segments
    ) + struct.pack("<4I", 0x1D, 16, limit, signature)
    head = struct.pack("<8I", 0xFEED_FACF, machine, 0, 2, 4, len(commands), 0, 0) + commands
    body = bytes(number * 7 % 251 for number in range(limit - len(head)))
    return head + body + bytes(signature) + tail


def pe(machine: int = 0x8664) -> bytes:
    """A PE header behind a DOS stub; the default is x64."""
    return b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + b"PE\0\0" + struct.pack("<H", machine) + bytes(18)


def manifest(**changes: object) -> Manifest:
    """The manifest of a release for two targets."""
    values: dict[str, object] = {
        "tool_version": "1.2.3",
        "release": Release(tag="v1.18.3", version=(1, 18, 3), commit="c" * 40),
        "source": "https://github.com/anomalyco/opencode",
        "patchset": "a" * 64,
        "bun": "1.3.14",
        "catalogue": "b" * 64,
        "web_ui": False,
        "channel": "latest",
        "place": "/build/tree",
        "zlib": "1.3",
        "published": Published(repository="owner/name", release="v1.18.3-1"),
        "artifacts": (
            artifact("linux-x64"),
            artifact("darwin-arm64", without=("@ff-labs/fff-bin-darwin-arm64@0.9.4",)),
        ),
    }
    return Manifest(**(values | changes))  # type: ignore[arg-type]


def artifact(
    target: str,
    *,
    without: tuple[str, ...] = (),
    archive: str = "1",
    binary: str = "2",
    program: str = "opencode",
) -> Artifact:
    """What was made for a target; ``archive`` and ``binary`` are the hexadecimal digit of which the digest is made."""
    ending = "tar.gz" if target.startswith("linux") else "zip"
    return Artifact(
        target=target,
        archive=File(name=f"{program}-{target}.{ending}", sha256=archive * 64, size=48_000_000),
        binary=File(name=program, sha256=binary * 64, size=146_000_000),
        runtime="3" * 64,
        without=without,
    )
