"""Which files OpenCode reads, in which order, and what they give together."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from opencode_patcher.configuration import files, places
from tests.configuration.config_samples import User


def test_all_places_in_the_order_of_merging(user: User) -> None:
    sub = user.work / "sub"
    sub.mkdir()
    user.environment |= {"OPENCODE_CONFIG": "../named.json", "OPENCODE_CONFIG_DIR": str(user.root / "dir")}
    user.environment["OPENCODE_COMBINED"] = "../ours.json"
    names = ("opencode.json", "opencode.jsonc", "combined.json", "combined.jsonc")
    hidden = (sub / ".opencode", user.work / ".opencode", user.root / ".opencode")
    expected = [
        user.config.parent / "config.json",
        *(user.config.parent / name for name in names),
        sub / "../named.json",
        sub / "../ours.json",
        *(place / name for place in (user.work, sub, *hidden, user.root / "dir") for name in names),
    ]
    assert list(places.files(user.environment, sub)) == expected

    for number, path in enumerate(expected):
        user.writes(path, {"number": number, f"from {number}": True})
    managed = user.writes(user.root / "managed" / "opencode.json", {"number": "managed"})
    user.environment["OPENCODE_CONFIG_CONTENT"] = '{"number": "content"}'
    user.writes(user.root / "opencode.json", "above the repository, so not read")
    read = files.read_all(user.environment, sub)
    assert [file.name for file in read] == [*map(str, expected), "OPENCODE_CONFIG_CONTENT", str(managed)]
    assert [Path(file.name) for file in read if file.own] == [
        path for path in expected if path.name.startswith(("combined.", "ours."))
    ]


def test_project_files_can_be_switched_off(user: User) -> None:
    user.writes(user.work / "opencode.json", {"model": "a/b"})
    user.environment["OPENCODE_DISABLE_PROJECT_CONFIG"] = "1"
    assert files.read_all(user.environment, user.work) == ()


def test_the_value_of_a_variable_is_not_shown_but_whether_it_is_empty(user: User) -> None:
    user.writes(user.config, '{"model": "{env:MINE}", "small_model": "{env:NONE}", "{env:MINE}": ["x{env:MINE}"]}')
    user.environment |= {"MINE": "a/b"}
    (file,) = files.read_all(user.environment, user.work)
    merged = file.data
    assert merged is not None
    assert merged == {"model": "{env:MINE}", "small_model": "", "{env:MINE}": ["x{env:MINE}"]}


def test_a_variable_may_stand_for_a_number(user: User) -> None:
    user.writes(user.config, '{"n": {env:NUMBER}, "model": "{env:MINE}"}')
    user.environment |= {"MINE": "a/b", "NUMBER": "7"}
    (file,) = files.read_all(user.environment, user.work)
    assert file.data == {"n": 7, "model": "{env:MINE}"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "not valid JSON: .*line 1 column 2"),
        ("[]", "It is not an object"),
        (" ", "not valid JSON"),
        (b"\xff{", "not valid JSON"),
    ],
)
def test_a_file_that_is_not_a_configuration_is_a_finding(user: User, content: str | bytes, problem: str) -> None:
    user.config.parent.mkdir(parents=True)
    user.config.write_bytes(content if isinstance(content, bytes) else content.encode())
    (file,) = files.read_all(user.environment, user.work)
    assert file.data is None
    assert re.search(problem, file.problem)


def test_a_directory_in_the_place_of_a_file_is_a_finding(user: User) -> None:
    user.config.mkdir(parents=True)
    (file,) = files.read_all(user.environment, user.work)
    assert file.problem == "It cannot be read: Is a directory."


def test_an_empty_file_is_an_empty_configuration(user: User) -> None:
    user.writes(user.config, "")
    (file,) = files.read_all(user.environment, user.work)
    assert (file.data, file.problem) == ({}, "")


@pytest.mark.skipif(sys.platform == "win32", reason="has no list of users")
def test_without_home_the_system_says_where_it_is(user: User) -> None:
    import pwd

    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    for environment in ({}, {"HOME": ""}, {"USERPROFILE": str(user.root)}):
        assert places.config_directory(environment) == home / ".config" / "opencode"
        assert home / ".opencode" / "opencode.json" in places.files(environment, user.work)


def test_without_any_home_only_the_project_is_read(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "home_directory", lambda _: None)
    path = user.writes(user.work / "opencode.json", {})
    environment = {"OPENCODE_TEST_MANAGED_CONFIG_DIR": str(user.root)}
    assert [file.name for file in files.read_all(environment, user.work)] == [str(path)]


@pytest.mark.parametrize("there", [["combined.json"], ["combined.jsonc", "combined.json"], []])
def test_the_file_to_add_to_is_the_one_that_wins(user: User, there: list[str]) -> None:
    for name in there:
        user.writes(user.config.with_name(name), {})
    expected = there[0] if there else "combined.json"
    assert places.combined_file(user.environment) == user.config.with_name(expected)


def test_a_place_that_is_a_file_where_a_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / ".config").write_text("")
    environment = {"HOME": str(tmp_path), "OPENCODE_TEST_MANAGED_CONFIG_DIR": str(tmp_path / "none")}
    assert files.read_all(environment, tmp_path) == ()
