"""What ``doctor`` finds when one thing is wrong, and that the fix it names is the right one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.store import MARKER, open_store
from opencode_patcher.upstream import lock, remote
from tests.doctor.doctor_samples import Patient
from tests.install.install_samples import program
from tests.toolchain.fake_registry import Registry
from tests.upstream.fake_upstream import Upstream


def levels(found: dict[str, list[dict[str, str]]]) -> dict[str, set[str]]:
    return {check: {one["level"] for one in findings} for check, findings in found.items()}


def only(found: dict[str, list[dict[str, str]]], check: str) -> dict[str, str]:
    (finding,) = found[check]
    return finding


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_what_others_can_write_is_a_warning(patient: Patient) -> None:
    store, state = patient.home / "store", patient.home / ".local" / "state" / "opencode"
    state.mkdir(parents=True, exist_ok=True)
    health = state / "combined-health.json"
    health.symlink_to(os.devnull)
    for directory in (store, state):
        directory.chmod(0o777)
    _, found = patient.doctor()
    assert [(one["level"], one["fix"]) for one in found["permissions"]] == [
        ("warning", f"chmod go-w {store}"),
        ("warning", f"chmod go-w {state}"),
        ("warning", f"rm {health}"),
    ]


def test_everything_is_fine(patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = patient.doctor()
    assert (code, levels(found)) == (
        0,
        {
            check: {"good"}
            for check in ("store", "git", "bun", "npm registry", "source", "disk", "installed", "PATH", "providers")
        },
    )
    text = only(found, "providers")["text"]
    assert text.startswith("1 combined model of anthropic, github-copilot, opencode (asked: the installed OpenCode")
    assert patient.run("doctor", "--source", patient.source) == 0
    assert capsys.readouterr().out.endswith("\nAll checks passed.\n")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "There is no git on PATH"),
        ("echo git version 2.17.1", "This is git version 2.17.1"),
        ("echo broken >&2; exit 1", "broken"),
    ],
)
def test_git(patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, said: str) -> None:
    tools = tmp_path / "only"
    tools.mkdir()
    for name in ("sh", "echo"):
        (tools / name).symlink_to(shutil.which(name) or "")
    if script:
        (tools / "git").write_text(f"#!/bin/sh\n{script}\n")
        (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    code, found = patient.doctor()
    finding = only(found, "git")
    assert (code, finding["level"]) == (1, "blocks")
    assert said in finding["text"]
    assert "2.29 or newer" in finding["fix"]


def test_a_bun_that_does_not_run(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "tools" / "bun").write_text("#!/bin/sh\nexit 1\n")
    _, found = patient.doctor()
    assert only(found, "bun")["level"] == "warning"
    assert str(tmp_path / "tools" / "bun") in only(found, "bun")["fix"]


def test_a_bun_that_is_too_old_is_not_used(patient: Patient, tmp_path: Path) -> None:
    store = open_store()
    tree = store.trees / remote.path_of(store, patient.source).name / "v1.17.90"
    tree.mkdir(parents=True)
    (tree / "package.json").write_text('{"packageManager": "bun@1.3.14"}')
    program(tmp_path / "tools" / "bun", "bun", "1.2.0")
    _, found = patient.doctor()
    assert "is bun 1.2.0; a build fetches bun 1.3.14" in only(found, "bun")["text"]


def test_an_unreachable_registry(patient: Patient, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://user:secret@127.0.0.1:9/")
    code, found = patient.doctor()
    finding = only(found, "npm registry")
    assert (code, finding["level"]) == (0, "warning"), "what is built already does not need it"
    assert "127.0.0.1:9" in finding["text"]
    shutil.rmtree(open_store().builds)
    code, found = patient.doctor()
    finding = only(found, "npm registry")
    assert (code, finding["level"]) == (1, "blocks")
    assert "npm_config_registry" in finding["fix"]
    assert "secret" not in json.dumps(found)


def test_a_registry_is_asked_once(patient: Patient, registry: Registry) -> None:
    registry.failures[:] = [503, 503, 503]
    _, found = patient.doctor()
    assert only(found, "npm registry")["level"] == "warning"
    assert len(registry.requests) == 1


def test_an_unreachable_source(patient: Patient, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/opencode"
    code, found = patient.doctor(source=nowhere)
    assert (code, only(found, "source")["level"]) == (0, "warning")
    assert nowhere in only(found, "source")["text"]
    shutil.rmtree(open_store().builds)
    code, found = patient.doctor(source=nowhere)
    assert (code, only(found, "source")["level"]) == (1, "blocks")
    assert "--source" in only(found, "source")["fix"]
    code, found = patient.doctor(source=str(tmp_path / "none"))
    assert (code, only(found, "source")["level"]) == (1, "blocks")


def test_a_source_whose_tag_has_moved(patient: Patient, upstream: Upstream) -> None:
    upstream.commit({"README.md": "other"})
    upstream.tag("v1.17.90", force=True)
    code, found = patient.doctor()
    assert (code, only(found, "source")["level"]) == (1, "blocks")
    assert "has moved" in only(found, "source")["text"]


def test_a_newer_release_is_not_a_problem(patient: Patient, upstream: Upstream) -> None:
    upstream.release("v1.18.0", {"README.md": "newer"})
    code, found = patient.doctor()
    assert (code, only(found, "source")["level"]) == (0, "good")
    assert only(found, "source")["fix"] == "To move to it: opencode-patcher update"


def test_nothing_installed(patient: Patient) -> None:
    assert patient.run("uninstall", "--quiet") == 0
    code, found = patient.doctor()
    assert code == 0
    assert only(found, "installed") | {"text": ""} == {
        "check": "installed",
        "level": "warning",
        "text": "",
        "fix": "To install: opencode-patcher install",
    }


def test_a_broken_installation_blocks(patient: Patient) -> None:
    (patient.home / ".local" / "bin" / "opencode").unlink()
    code, found = patient.doctor()
    assert (code, only(found, "installed")["level"]) == (1, "blocks")
    assert patient.run("install", "--quiet") == 0
    assert patient.doctor()[0] == 0


def test_another_program_comes_first_and_refuses_the_configuration(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = program(tmp_path / "node_modules" / "bin" / "opencode", "stock")
    monkeypatch.setenv("PATH", f"{other.parent}{os.pathsep}{os.environ['PATH']}")
    code, found = patient.doctor()
    assert (code, only(found, "PATH")["level"]) == (1, "blocks")
    assert "npm uninstall --global opencode-ai" in only(found, "PATH")["fix"]
    finding = only(found, "configuration")
    assert finding["text"] == f"{patient.config}: {other} is a stock OpenCode and refuses line 2."
    patient.config.write_text("{}")
    _, found = patient.doctor()
    assert "configuration" not in found


def test_a_stock_program_at_our_place_refuses_the_configuration(patient: Patient) -> None:
    place = patient.home / ".local" / "bin" / "opencode"
    place.unlink()
    program(place, "stock", "1.17.90")
    code, found = patient.doctor()
    assert (code, only(found, "installed")["text"].partition(":")[0]) == (1, "replaced")
    assert str(place) in only(found, "configuration")["text"]


def test_what_is_wrong_in_the_configuration(patient: Patient) -> None:
    patient.config.write_text('{\n  "provider_priority": ["antropic"]\n}')
    text = "provider_priority: no provider antropic. Did you mean anthropic?"
    patient.says(mistakes=[{"source": str(patient.config), "text": text}])
    code, found = patient.doctor()
    assert code == 0
    assert [(one["level"], one["text"]) for one in found["configuration"]] == [
        ("warning", f"{patient.config}:2: {text}"),
    ]
    patient.config.write_text('{\n  "combined": {"stickiness": -1}\n}')
    code, found = patient.doctor()
    assert (code, only(found, "configuration")["level"]) == (1, "blocks")
    patient.config.write_text('{\n  "combined": \n}')
    code, found = patient.doctor()
    assert code == 1
    assert "line 3 column 1" in only(found, "configuration")["text"]


def test_nothing_to_combine(patient: Patient) -> None:
    patient.says(models=[])
    code, found = patient.doctor()
    assert (code, only(found, "providers")["level"]) == (0, "warning")
    assert "opencode auth login" in only(found, "providers")["fix"]
    patient.says(models=[], off="disabled_providers names combined")
    _, found = patient.doctor()
    assert only(found, "providers")["text"] == "Nothing is combined: disabled_providers names combined."


def test_a_login_that_opencode_does_not_use_is_not_counted(patient: Patient) -> None:
    patient.says(unused_logins=[{"id": "anthropic", "why": "OpenCode needs a plugin for this kind of login"}])
    _, found = patient.doctor()
    assert [one["level"] for one in found["providers"]] == ["warning", "good"]
    assert found["providers"][0]["text"].startswith("The login to anthropic is not used: OpenCode needs a plugin")


def test_an_opencode_that_cannot_say_it(patient: Patient) -> None:
    patient.report.write_text("")
    code, found = patient.doctor()
    assert (code, only(found, "providers")["level"]) == (0, "warning")
    assert "does not say what it combines" in only(found, "providers")["text"]


def test_without_an_opencode_nothing_is_said_to_be_fine(patient: Patient) -> None:
    assert patient.run("uninstall", "--quiet") == 0
    shutil.rmtree(open_store().builds)
    _, found = patient.doctor()
    assert (only(found, "providers")["level"], only(found, "installed")["level"]) == ("unknown", "warning")


HOUR = 3_600_000


@pytest.mark.parametrize(
    ("key", "kind", "lasts", "doubt"),
    [
        ("anthropic/", "quota", HOUR, ""),
        ("anthropic/claude-sonnet-4-5", "overload", 30_000, ""),
        ("anthropic/", "overload", 5 * HOUR, "That is long for this class (5 h, usually at most 2 min)."),
        ("anthropic/", "quota", 40 * 24 * HOUR, "No plan's window is that long, so OpenCode asks it again sooner."),
        ("nobody/", "quota", HOUR, "You have no such provider now."),
    ],
)
def test_who_is_avoided_is_named_and_what_looks_wrong(
    patient: Patient, key: str, kind: str, lasts: int, doubt: str
) -> None:
    now = int(time.time() * 1000)
    record = {"since": now - 1000, "until": now - 1000 + lasts, "kind": kind, "message": "402 No money", "failures": 1}
    state = patient.home / ".local" / "state" / "opencode"
    state.mkdir(parents=True)
    file = state / "combined-health.json"
    file.write_text(json.dumps({"version": 1, "members": {key: record, "beta/": record | {"failures": 0}}}))
    file.chmod(0o600)
    _, found = patient.doctor()
    finding = only(found, "health")
    name = key.rstrip("/")
    first, _, second = finding["text"].partition("\n")
    assert first.startswith(f"{name} is avoided until ")
    assert first.endswith(f" ({kind}): 402 No money")
    assert second == doubt
    assert (finding["level"], finding["fix"]) == (
        "warning",
        f"To ask it again now: opencode-patcher health clear {name}",
    )


def test_what_the_user_has_steered_is_named(patient: Patient) -> None:
    assert patient.run("health", "pin", "combined/claude-sonnet-4-5", "anthropic") == 0
    assert patient.run("health", "skip", "openrouter") == 0
    _, found = patient.doctor()
    assert [one["text"] for one in found["health"]] == [
        "combined/claude-sonnet-4-5 is pinned to anthropic, so it does not fail over.",
        "openrouter is skipped at your request.",
    ]


def test_a_store_of_a_newer_version(patient: Patient) -> None:
    (open_store().root / MARKER).write_text('{"format": 2}')
    code, found = patient.doctor()
    assert (code, only(found, "store")["level"]) == (1, "blocks")
    assert "Update opencode-patcher" in only(found, "store")["fix"]
    assert only(found, "git")["level"] == "good", "the other checks are made"
    assert "installed" not in found


def test_a_damaged_build(patient: Patient) -> None:
    damaged = patient.home / "store" / "builds" / "1.18.0-000000000000"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{")
    code, found = patient.doctor()
    assert (code, only(found, "builds")["level"]) == (0, "warning")
    assert str(damaged) in only(found, "builds")["fix"]
    assert only(found, "installed")["level"] == "good"


def test_a_damaged_lock(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: object) -> None:
        raise SourceError("The lock cannot be read.", next_step="Install opencode-patcher again.")

    monkeypatch.setattr(lock, "read_lock", damaged)
    code, found = patient.doctor()
    assert (code, only(found, "lock")["fix"]) == (1, "Install opencode-patcher again.")


def test_without_a_home(patient: Patient) -> None:
    root = Path(__file__).parents[2]
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "USERPROFILE")}
    done = subprocess.run(
        [sys.executable, "-m", "opencode_patcher", "doctor", "--json", "--source", patient.source],
        # Else the home of the one who runs the tests would be searched, which the system knows.
        env=environment
        | {"PYTHONPATH": str(root)}
        | {f"XDG_{kind}_HOME": str(patient.home / "none") for kind in ("CACHE", "CONFIG", "DATA")}
        | {"OPENCODE_TEST_HOME": str(patient.home / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    found = {one["check"]: one for one in json.loads(done.stdout)["findings"]}
    # The place is known from the install.
    assert found["installed"]["level"] in ("good", "warning")
    assert found["providers"]["level"] == "good"
