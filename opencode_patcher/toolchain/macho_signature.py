"""Ad-hoc code signatures of Mach-O programs, made and checked without macOS. Pure.

macOS refuses to start an arm64 program without a valid signature, and newer ones refuse any with an invalid one. bun up
to 1.3.14 signs arm64 programs with a wrong hash of the last page (oven-sh/bun#39772), and leaves those for x64 with the
signature of its runtime, which does not cover the program (oven-sh/bun#32159). An ad-hoc signature contains hashes and
no identity, so anybody can renew it.

Sources: ``mach-o/loader.h``, and the structures of code signatures in XNU's ``osfmk/kern/cs_blobs.h``.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = struct.Struct("<8I")
_COMMAND = struct.Struct("<II")
_SEGMENT = struct.Struct("<16s4Q")
_SUPER_BLOB = struct.Struct(">3I")
_BLOB_INDEX = struct.Struct(">2I")
_CODE_DIRECTORY = struct.Struct(">9I4B4I4Q")

_MAGIC_64 = 0xFEED_FACF
MAGIC_SIZE = 4
"""How many bytes at the start of a file tell whether it is a program for macOS."""
_LC_SEGMENT_64 = 0x19
_LC_CODE_SIGNATURE = 0x1D
_SUPER_BLOB_MAGIC = 0xFADE_0CC0
_CODE_DIRECTORY_MAGIC = 0xFADE_0C02
_CODE_DIRECTORY_SLOT = 0
_VERSION_WITH_EXEC_SEGMENT = 0x20400
_ADHOC_LINKER_SIGNED = 0x2_0002
"""As linkers set it; ``codesign`` then replaces the signature without --force."""
_MAIN_BINARY = 1
_SHA256 = 2
_PAGE = 4096
_PAGE_BITS = 12
_VM_PAGE = 0x4000
"""The larger of the two page sizes of macOS; a segment's size in memory is a multiple of it."""


@dataclass(frozen=True, kw_only=True)
class _Segment:
    """``at`` is the position of its name in the load commands; offsets and sizes are in bytes of the file."""

    at: int
    name: str
    address: int
    offset: int
    size: int


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """``at`` is the position of the signature's offset and size in the load commands."""

    text: _Segment
    linkedit: _Segment
    at: int
    offset: int
    size: int


def is_macho(start: bytes) -> bool:
    """Whether a file that starts like this is a 64-bit Mach-O program."""
    return start[:MAGIC_SIZE] == struct.pack("<I", _MAGIC_64)


def sign(program: bytes, identifier: str) -> bytes:
    """The program with its signature replaced by a new ad-hoc one.

    Raises ValueError when it is not a 64-bit Mach-O program, or has no signature at its end.
    """
    layout = _layout(program)
    if layout.offset + layout.size != layout.linkedit.offset + layout.linkedit.size:
        raise ValueError("its signature is not at the end of its last segment")
    name = identifier.encode("ascii") + b"\0"
    pages = -(-layout.offset // _PAGE)
    length = _CODE_DIRECTORY.size + len(name) + pages * hashlib.sha256().digest_size
    start = _SUPER_BLOB.size + _BLOB_INDEX.size
    size = _aligned(start + length, 16)

    code = bytearray(program[: layout.offset])
    struct.pack_into("<II", code, layout.at, layout.offset, size)
    edit = layout.linkedit
    held = layout.offset + size - edit.offset
    _SEGMENT.pack_into(code, edit.at, edit.name.encode(), edit.address, _aligned(held, _VM_PAGE), edit.offset, held)
    directory = _CODE_DIRECTORY.pack(
        _CODE_DIRECTORY_MAGIC,
        length,
        _VERSION_WITH_EXEC_SEGMENT,
        _ADHOC_LINKER_SIGNED,
        _CODE_DIRECTORY.size + len(name),
        _CODE_DIRECTORY.size,
        0,
        pages,
        layout.offset,
        hashlib.sha256().digest_size,
        _SHA256,
        0,
        _PAGE_BITS,
        0,
        0,
        0,
        0,
        0,
        layout.text.offset,
        layout.text.size,
        _MAIN_BINARY,
    )
    blob = b"".join(
        [
            _SUPER_BLOB.pack(_SUPER_BLOB_MAGIC, start + length, 1),
            _BLOB_INDEX.pack(_CODE_DIRECTORY_SLOT, start),
            directory,
            name,
            *_hashes(bytes(code), _PAGE),
        ]
    )
    return bytes(code) + blob.ljust(size, b"\0")


def flaws(program: bytes) -> list[str]:
    """What macOS would reject in a program's signature; empty when it is valid.

    The hashes of the program's pages are checked, not the signer. Raises ValueError as ``sign`` does.
    """
    layout = _layout(program)
    found = []
    if layout.offset + layout.size != len(program):
        found.append("the signature does not end where the file ends")
    try:
        at = _directory(program, layout)
        _, _, _, _, hashes, _, _, count, limit, size, kind, _, bits, *_ = _CODE_DIRECTORY.unpack_from(program, at)
    except struct.error:
        return [*found, "the signature is cut off"]
    if (size, kind) != (hashlib.sha256().digest_size, _SHA256):
        return [*found, "its hashes are not SHA-256"]
    if limit != layout.offset:
        found.append(f"it covers {limit} of {layout.offset} bytes")
    expected = program[at + hashes : at + hashes + count * size]
    pages = list(_hashes(program[:limit], 1 << bits))
    actual = b"".join(pages)
    if actual != expected:
        wrong = sum(page != expected[index * size : (index + 1) * size] for index, page in enumerate(pages))
        found.append(f"{wrong or 'some'} of {len(pages)} pages have a wrong hash")
    return found


def _layout(program: bytes) -> _Layout:
    segments: dict[str, _Segment] = {}
    signature: tuple[int, int, int] | None = None
    try:
        magic, _, _, _, count, *_ = _HEADER.unpack_from(program)
        if magic != _MAGIC_64:
            raise ValueError("it is not a 64-bit Mach-O program")
        at = _HEADER.size
        for _ in range(count):
            command, size = _COMMAND.unpack_from(program, at)
            if command == _LC_SEGMENT_64:
                name, address, _, offset, length = _SEGMENT.unpack_from(program, at + _COMMAND.size)
                text = name.rstrip(b"\0").decode("ascii", "replace")
                segments[text] = _Segment(at=at + _COMMAND.size, name=text, address=address, offset=offset, size=length)
            elif command == _LC_CODE_SIGNATURE:
                signature = (at + _COMMAND.size, *struct.unpack_from("<II", program, at + _COMMAND.size))
            at += size
    except struct.error as error:
        raise ValueError("it ends within its load commands") from error
    if signature is None or "__TEXT" not in segments or "__LINKEDIT" not in segments:
        raise ValueError("it has no signature")
    at, offset, length = signature
    return _Layout(text=segments["__TEXT"], linkedit=segments["__LINKEDIT"], at=at, offset=offset, size=length)


def _directory(program: bytes, layout: _Layout) -> int:
    """The offset of the code directory."""
    _, _, count = _SUPER_BLOB.unpack_from(program, layout.offset)
    for index in range(count):
        at = layout.offset + _SUPER_BLOB.size + index * _BLOB_INDEX.size
        slot, offset = _BLOB_INDEX.unpack_from(program, at)
        if slot == _CODE_DIRECTORY_SLOT:
            return int(layout.offset + offset)
    raise struct.error("no code directory")


def _hashes(code: bytes, page: int) -> Iterator[bytes]:
    """The hash of each page; the last one is not padded."""
    for at in range(0, len(code), page):
        yield hashlib.sha256(code[at : at + page]).digest()


def _aligned(size: int, unit: int) -> int:
    return -(-size // unit) * unit
