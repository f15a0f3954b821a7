"""Whatever is in a file, an answer or a line of somebody else, its reader understands it or says so in its own words.

`make fuzz` searches for bytes that one of them does not expect. What it has found before, or what others have tried,
stays in ``CORPUS``. The readers of patches and templates have tests of their own, in ``tests/patchset``.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opencode_patcher.attempts import log
from opencode_patcher.base import documents, jsonc
from opencode_patcher.base.errors import PatcherError
from opencode_patcher.base.store import Store
from opencode_patcher.configuration import files as configurations
from opencode_patcher.configuration import report as reports
from opencode_patcher.drill.fakes import wire
from opencode_patcher.drill.verdict import comparison, observation
from opencode_patcher.health import record
from opencode_patcher.install import builds, records, state
from opencode_patcher.models import catalogue
from opencode_patcher.release import manifest, sums
from opencode_patcher.toolchain import bun_lock, bun_package, npm_registry, npm_settings
from opencode_patcher.upkeep import rebase_state
from opencode_patcher.upstream import lock, releases, support, workspace

Reader = Callable[[bytes], object]


def text(read: Callable[[str], object]) -> Reader:
    """A reader of text, which gets bytes as its callers decode them."""
    return lambda data: read(data.decode("utf-8", "replace"))


def file(read: Callable[[Path], object], name: str = "file") -> Reader:
    """A reader of the file ``name``, which is given its directory when it looks for the name itself."""

    def of(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            return read(path if name == "file" else Path(scratch))

    return of


def packages(data: bytes) -> object:
    return workspace.closure({"package.json": data.decode("utf-8", "replace"), "packages/opencode/package.json": "{}"})


LISTING = f"{'a' * 40}\trefs/tags/v1.0.0\n"

READERS: dict[str, Reader] = {
    "JSON": lambda data: documents.parse(data, object),
    "JSON with halves of surrogate pairs": lambda data: documents.parse(data, dict[str, object], halves=True),
    "JSONC": text(jsonc.loads),
    "opencode.json": text(lambda one: configurations.parse("opencode.json", one, {"A": "1"})),
    "opencode combined --json": text(reports.parse),
    "the catalogue": lambda data: catalogue.parse(data, "test"),
    "the log of attempts": file(log.read),
    "the health file": file(lambda path: record.read(path, datetime(2026, 3, 1, tzinfo=UTC))),
    ".npmrc": text(lambda one: npm_settings.parse(one, {"A": "1"})),
    "an integrity": text(npm_registry.parse_integrity),
    "an archive of bun's": lambda data: bun_package._member(data, "package/bin/bun", "test"),
    "bun.lock": text(bun_lock.parse),
    "package.json": packages,
    "tags": text(releases.parse_listing),
    "a release that is asked for": text(lambda one: releases.find(releases.parse_listing(LISTING).releases, one)),
    "the lock": file(lock.read_lock),
    "the support window": file(support.read_support),
    "a build's manifest": file(builds._read, builds.MANIFEST),
    "an installation's record": file(records.read, records.RECORD),
    "the installation's state": file(lambda root: state.read(Store(root=root)), "installed/state.json"),
    "a rebase": file(rebase_state.read, "opencode-patcher-rebase.json"),
    "a release's manifest": text(manifest.parse),
    "SHA256SUMS": text(sums.parse),
    "a saved drill": file(comparison.read),
    "a line of opencode run": text(lambda one: observation.parse_event(one, 0.0)),
    "an export": text(observation.parse_export),
    "an event": wire.read,
}  # fmt: skip

EXPECTED = (PatcherError, ValueError)
"""What a reader may raise; the callers of those that raise ValueError turn it into an error of their own."""

CORPUS: dict[str, bytes] = {
    "nothing": b"",
    "zero bytes": bytes(20),
    "not UTF-8": b"\xff\xfe\x80",
    "half a surrogate pair": b'{"a": "\\ud800"}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep and closed": b"[" * 50_000 + b"]" * 50_000,
    "a number of 5,000 digits": b'{"format": ' + b"9" * 5_000 + b"}",
    "a version of 5,000 digits": b"a" * 40 + b"\trefs/tags/v" + b"9" * 5_000 + b".0.0\n",
    "infinite": b'{"format": 1, "built_at": 1e999}',
    "not a number": b'{"format": NaN}',
    "wrong types": b'{"format": 1, "tag": [], "binary": 1, "release": "x", "history": {}, "packages": 3, "models": []}',
    "a list": b"[1]",
    "comments without end": b"/*" * 50_000,
    "quotes": b'"' * 99_999,
    "open strings": b'{"a": "' + b"\\" * 99_999,
    "escapes": b"\x1b]0;x\x07\xc2\x9b31m" * 1000,
    "lines": b"\r\n" * 50_000,
    "variables": b"{env:" * 20_000,
    "references": b"${" * 20_000,
    "many *": b'{"packageManager": "bun@1.3.14", "workspaces": ["' + b"**/" * 14 + b'x"], "name": "opencode"}',
}


def check(reader: str, data: bytes) -> None:
    try:
        READERS[reader](data)
    except EXPECTED:
        pass
    except BaseException as error:
        error.add_note(f"Read as: {reader}")
        raise


@pytest.mark.timeout(20)
@pytest.mark.parametrize("reader", READERS)
def test_the_corpus_is_read_or_refused(reader: str) -> None:
    for data in CORPUS.values():
        check(reader, data)


EXAMPLES = int(os.environ.get("PROPERTY_RUNS", "40"))
"""Each is given to all readers."""

_FIELDS = (
    *("format", "tag", "commit", "catalogue", "package", "version", "sha256", "bun", "place", "aside", "history", "at"),
    *("release", "source", "patchset", "web_ui", "target", "binary", "drill", "built_at", "tool_version", "build"),
    *("files", "file", "name", "size", "models", "id", "limit", "cost", "packages", "workspaces", "packageManager"),
    *("dependencies", "scripts", "type", "info", "messages", "parts", "start", "end", "tokens", "scenarios", "title"),
)
_KNOWN = ("v1.18.3", "1.18.3", "a" * 40, "b" * 64, "workspace:*", "bun@1.3.14", "../../x", "{env:A}", "combined/x")
_WORDS = st.sampled_from(_FIELDS)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(_KNOWN),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS | st.text(max_size=6), inner, max_size=6),
    max_leaves=20,
)  # fmt: skip


def _said(value: object) -> bytes:
    return json.dumps(value).encode()


def _spoilt(parts: tuple[bytes, int, bytes]) -> bytes:
    data, place, more = parts
    place %= len(data) + 1
    return data[:place] + more + data[place + len(more) :]


_JSON = _VALUES.map(_said)
_DATA = st.one_of(
    _JSON,
    st.tuples(_JSON, st.integers(0, 10_000), st.binary(max_size=4)).map(_spoilt),
    st.lists(_JSON, max_size=4).map(b"\n".join),
    st.binary(max_size=200),
    st.text(alphabet="abv0159.-_/:@#=;\"'\\{}[],$*^ \t\r\n\u202e\x1b\ud7ff", max_size=200).map(str.encode),
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=EXAMPLES)
@given(data=_DATA)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for reader in READERS:
        check(reader, data)
