"""A program's own bytes say for which platform it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from opencode_patcher.release import headers
from opencode_patcher.release.headers import ProgramHeader
from opencode_patcher.toolchain import platforms, targets
from tests.release.release_samples import GLIBC, MUSL, elf, macho, pe


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (elf(62, GLIBC), ProgramHeader(system="linux", machine="x64", interpreter=GLIBC)),
        (elf(183, MUSL), ProgramHeader(system="linux", machine="arm64", interpreter=MUSL)),
        (elf(62, ""), ProgramHeader(system="linux", machine="x64")),
        (macho(0x0100_000C), ProgramHeader(system="darwin", machine="arm64")),
        (macho(0x0100_0007), ProgramHeader(system="darwin", machine="x64")),
        (pe(0x8664), ProgramHeader(system="windows", machine="x64")),
        (pe(0xAA64), ProgramHeader(system="windows", machine="arm64")),
        (pe(0x014C), ProgramHeader(system="windows", machine="machine 0x14c")),
    ],
)
def test_each_format_is_read(program: bytes, expected: ProgramHeader) -> None:
    assert headers.read(program) == expected


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (b"", "ends within its header"),
        (b"\x7fEL", "ends within its header"),
        (b"#!/bin/sh\necho\n", "not a 64-bit ELF, Mach-O or PE"),
        (elf(bits=1), "not a 64-bit little-endian ELF"),
        (elf()[:100], "ends within its header"),
        (b"MZ" + bytes(100), "a DOS program"),
    ],
)
def test_a_file_that_is_not_a_program_is_refused(program: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        headers.read(program)


def test_a_program_for_its_target_has_no_problems() -> None:
    programs = {
        "linux-x64": elf(),
        "linux-x64-baseline-musl": elf(62, MUSL),
        "darwin-arm64": macho(),
        "windows-x64": pe(),
    }
    for name, program in programs.items():
        assert headers.problems(headers.read(program), targets.parse(name)) == []


@pytest.mark.parametrize(
    ("program", "target", "reason"),
    [
        (elf(183), "linux-x64", "it is for arm64, not for x64"),
        (macho(), "linux-arm64", "it is for darwin, not for linux"),
        (elf(62, MUSL), "linux-x64", f"its loader is {MUSL}, not that of glibc"),
        (elf(62, GLIBC), "linux-x64-musl", f"its loader is {GLIBC}, not that of musl"),
        (elf(62, ""), "linux-x64-musl", "its loader is none, not that of musl"),
    ],
)
def test_a_program_for_another_target_is_recognised(program: bytes, target: str, reason: str) -> None:
    assert headers.problems(headers.read(program), targets.parse(target)) == [reason]


def test_the_python_that_runs_this_is_for_this_machine() -> None:
    header = headers.read(Path(sys.executable).resolve().read_bytes())
    here = platforms.detect()
    assert header.system == here.system
    assert header.machine == {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}[here.machine]


def test_a_runtime_is_found_in_a_program_that_grew_and_got_another_header() -> None:
    runtime = b"".join(number.to_bytes(4, "big") * 1024 for number in range(100))
    program = b"\1" * 4096 + runtime[4096:] + b"the program" * 500
    other = b"".join(number.to_bytes(4, "little") * 1024 for number in range(100))

    assert headers.share_held(program, runtime) == 0.99
    assert headers.share_held(program, other) < headers.HELD
    assert headers.share_held(program, b"too short for a page") == 0.0
