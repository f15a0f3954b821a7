"""Which platform a program is for, from its ELF, Mach-O or PE header. Pure.

Sources: the System V ABI (ELF), ``mach-o/loader.h`` and ``mach/machine.h``, and Microsoft's PE format. A header does
not say whether the code needs AVX2; ``holds`` recognises a baseline binary by the runtime in it.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from opencode_patcher.toolchain.targets import Target

_ELF_MACHINES = {62: "x64", 183: "arm64"}
_MACHO_MACHINES = {0x0100_0007: "x64", 0x0100_000C: "arm64"}
_PE_MACHINES = {0x8664: "x64", 0xAA64: "arm64"}
_MACHO_64 = 0xFEED_FACF
_PT_INTERP = 3
_PAGE = 4096
HELD = 0.95
"""The share of a runtime's pages that a program made from it has unchanged and in place.

bun's compiler rewrites the header and appends: 0.989 (macOS) to 0.9999 (Windows) were measured with bun 1.3.14, and
below 0.1 between two runtimes.
"""


Bytes = bytes | mmap.mmap
"""A program's content, in memory or mapped from a file."""


@dataclass(frozen=True, kw_only=True)
class ProgramHeader:
    """``system`` and ``machine`` are upstream's names; ``interpreter`` is the loader that an ELF file asks for."""

    system: str
    machine: str
    interpreter: str = ""


def read(data: Bytes) -> ProgramHeader:
    """The header of a program. Raises ValueError that says what is wrong when it has none of the three formats."""
    try:
        if data[:4] == b"\x7fELF":
            return _elf(data)
        if data[:2] == b"MZ":
            return _pe(data)
        if struct.unpack_from("<I", data)[0] == _MACHO_64:
            (machine,) = struct.unpack_from("<I", data, 4)
            return ProgramHeader(system="darwin", machine=_machine(_MACHO_MACHINES, machine))
    except struct.error as error:
        raise ValueError("it ends within its header") from error
    raise ValueError("it is not a 64-bit ELF, Mach-O or PE program")


def problems(header: ProgramHeader, target: Target) -> list[str]:
    """Why a program does not fit a target; empty when it fits."""
    found = [
        f"it is for {found}, not for {wanted}"
        for found, wanted in ((header.system, target.system), (header.machine, target.machine))
        if found != wanted
    ]
    if header.system == "linux" and target.system == "linux":
        musl = "ld-musl" in header.interpreter
        if musl != target.musl:
            found.append(f"its loader is {header.interpreter or 'none'}, not that of {_libc(target)}")
    return found


def share_held(program: Bytes, runtime: Bytes) -> float:
    """The share of a runtime's pages that a program has at the same offset, 0.0 to 1.0."""
    count = len(runtime) // _PAGE
    same = sum(program[at : at + _PAGE] == runtime[at : at + _PAGE] for at in range(0, count * _PAGE, _PAGE))
    return same / count if count else 0.0


def _elf(data: Bytes) -> ProgramHeader:
    if data[4] != 2 or data[5] != 1:
        raise ValueError("it is not a 64-bit little-endian ELF file")
    (machine,) = struct.unpack_from("<H", data, 18)
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for index in range(count):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", data, table + index * size)
        if kind == _PT_INTERP:
            interpreter = bytes(data[offset : offset + length]).rstrip(b"\0").decode("ascii", "replace")
            return ProgramHeader(system="linux", machine=_machine(_ELF_MACHINES, machine), interpreter=interpreter)
    return ProgramHeader(system="linux", machine=_machine(_ELF_MACHINES, machine))


def _pe(data: Bytes) -> ProgramHeader:
    (at,) = struct.unpack_from("<I", data, 0x3C)
    if data[at : at + 4] != b"PE\0\0":
        raise ValueError("it is a DOS program")
    (machine,) = struct.unpack_from("<H", data, at + 4)
    return ProgramHeader(system="windows", machine=_machine(_PE_MACHINES, machine))


def _machine(known: Mapping[int, str], number: int) -> str:
    return known.get(number, f"machine {number:#x}")


def _libc(target: Target) -> str:
    return "musl" if target.musl else "glibc"
