"""install.sh asks GitHub's `gh` where an archive was built, if it can."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.release_scripts.script_samples import (
    PROGRAMS,
    RELEASE,
    Machine,
    make_machine,
    make_release,
    render,
    started,
    unharmed,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the machines of these tests are Linux")

GH = """
echo "$@" >> "{log}"
case "$*" in
  "auth token"*) {login} ;;
  "attestation verify --help") {modern} ;;
  "attestation verify"*) {verdict} ;;
esac
"""


def gh(machine: Machine, *, login: str = "exit 0", modern: str = "exit 0", verdict: str = "exit 0") -> Path:
    log = machine.root / "gh.log"
    machine.add("gh", GH.format(log=log, login=login, modern=modern, verdict=verdict))
    return log


def test_the_attestation_is_checked(installed: Machine, second: Path) -> None:
    log = gh(installed)
    done = installed.install(OPENCODE_RELEASE_URL=second)
    assert done.returncode == 0
    assert f"Built by the release workflow of example/fork at {RELEASE} (attested)." in done.stderr
    [asked] = [line for line in log.read_text().splitlines() if line.startswith("attestation verify /")]
    assert "/opencode-linux-" in asked
    assert "--repo example/fork" in asked
    assert "--signer-workflow example/fork/.github/workflows/release.yml" in asked
    assert f"--source-ref refs/tags/{RELEASE}" in asked


def test_an_invalid_attestation_stops_the_install(installed: Machine, second: Path) -> None:
    gh(installed, verdict="echo no attestations found >&2; exit 1")
    done = installed.install(OPENCODE_RELEASE_URL=second)
    unharmed(installed, done)
    assert f"has no valid attestation of example/fork at {RELEASE}.\nno attestations found" in done.stderr
    assert installed.install("--no-attestation", OPENCODE_RELEASE_URL=second).returncode == 0
    assert started(installed.place) == "second"


def test_an_unattested_program_in_the_store_is_checked_by_the_next_run_that_can(
    installed: Machine, second: Path
) -> None:
    log = gh(installed, verdict="exit 1")
    assert installed.install("--no-attestation", OPENCODE_RELEASE_URL=second).returncode == 0

    done = installed.install(OPENCODE_RELEASE_URL=second)
    assert done.returncode == 1
    assert f"has no valid attestation of example/fork at {RELEASE}." in done.stderr

    done = installed.install("--no-attestation", OPENCODE_RELEASE_URL=second)
    assert "Only the checksum was checked, not where the archive was built (--no-attestation)." in done.stderr
    assert "Fetching" not in done.stderr

    gh(installed)
    for _ in range(2):
        done = installed.install(OPENCODE_RELEASE_URL=second)
        assert done.returncode == 0
        assert f"Built by the release workflow of example/fork at {RELEASE} (attested)." in done.stderr
    assert "Fetching" not in done.stderr, "what was attested once is not fetched again"
    asked = [line for line in log.read_text().splitlines() if line.startswith("attestation verify /")]
    assert len(asked) == 2

    other = make_machine(installed.root / "other", programs=(*PROGRAMS, "curl"))
    other.script.write_text(render("install.sh", repository="example/another"))
    gh(other, verdict="exit 1")
    done = other.install(OPENCODE_RELEASE_URL=second, HOME=installed.home)
    assert f"has no valid attestation of example/another at {RELEASE}." in done.stderr


def test_why_the_attestation_was_not_checked(installed: Machine, tmp_path: Path) -> None:
    unchecked = "Only the checksum was checked, not where the archive was built"
    for number, (login, modern, said) in enumerate(
        [("exit 1", "exit 0", "gh is not logged in"), ("exit 0", "exit 1", "this gh is too old")]
    ):
        gh(installed, login=login, modern=modern, verdict="exit 1")
        release = make_release(tmp_path / f"other-{number}", f"other-{number}")
        done = installed.install(OPENCODE_RELEASE_URL=release)
        assert done.returncode == 0
        assert f"{unchecked}: {said}" in done.stderr
