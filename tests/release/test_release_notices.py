"""The licences of what is compiled in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opencode_patcher.release import notices
from opencode_patcher.release.notices import Licence
from opencode_patcher.toolchain.bun_lock import Package


def install(root: Path, name: str, version: str, *, licence: object = None, **files: str) -> Path:
    place = root / "node_modules" / name
    place.mkdir(parents=True)
    (place / "package.json").write_text(json.dumps({"name": name, "version": version, "license": licence}))
    for file, text in files.items():
        (place / file).write_bytes(text.encode())
    return place


def package(name: str, version: str = "1.0.0", **changes: str) -> Package:
    return Package(place=name, name=name, version=version, **changes)  # type: ignore[arg-type]


def test_all_licence_files_of_a_package_are_read(tmp_path: Path) -> None:
    place = install(
        tmp_path, "effect", "4.0.0", licence="MIT", LICENSE="MIT License\r\n", NOTICE="Notice\n", index="code"
    )
    (place / "LICENCE-APACHE.md").write_text("Apache\n")
    (place / "license").mkdir()
    found = notices.licence_of("effect", "4.0.0", place)
    assert found.declared == "MIT"
    assert sorted(found.texts) == ["Apache", "MIT License", "Notice"]


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ({"license": "MIT"}, "MIT"),
        ({"license": "(MIT OR CC0-1.0)"}, "(MIT OR CC0-1.0)"),
        ({"license": {"type": "BSD", "url": "x"}}, "BSD"),
        ({"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}, "MIT OR Apache-2.0"),
        ({}, ""),
        ({"license": None}, ""),
    ],
)
def test_old_and_new_ways_to_name_a_licence(manifest: dict[str, object], expected: str) -> None:
    assert notices.declared(manifest) == expected


def test_upstreams_own_and_absent_packages_are_left_out(tmp_path: Path) -> None:
    installed = {("effect", "1.0.0"): install(tmp_path, "effect", "1.0.0", licence="MIT", LICENSE="text")}
    closure = [package("opencode", workspace="packages/opencode"), package("effect"), package("elsewhere")]
    assert [one.title for one in notices.collect(closure, installed)] == ["effect@1.0.0"]


def test_the_text_has_all_of_them_and_says_what_is_missing() -> None:
    text = notices.text(
        "The licence of OpenCode\n",
        "1.18.3",
        "1.3.14",
        [
            Licence(name="a", version="1", declared="MIT", texts=("shared text",)),
            Licence(name="b", version="2", declared="", texts=("shared text",)),
            Licence(name="c", version="3", declared="ISC", texts=("its own text", "and a notice")),
            Licence(name="silent", version="4", declared="Apache-2.0", texts=()),
            Licence(name="nothing", version="5", declared="", texts=()),
        ],
    )
    for part in ("The licence of OpenCode", "bun 1.3.14", "LGPL-2", "its own text\n\nand a notice"):
        assert part in text
    assert text.count("shared text") == 1
    assert "a@1 (MIT)\nb@2 (names no licence)\n" in text
    named, _, unnamed = text.partition("Packages that neither name nor include a licence")
    assert "silent@4: Apache-2.0\n" in named.partition("do not include its text")[2]
    assert "nothing@5\n" in unnamed
