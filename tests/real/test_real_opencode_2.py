"""Level 3: OpenCode 2 of the lock is built by the command line, fails over, and its patched tree passes the checks."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher.base import process, resources
from opencode_patcher.base.line import OPENCODE_2
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import HOME_VARIABLE, Store
from opencode_patcher.base.version import printed
from opencode_patcher.drill.drivers.home import environment
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING
from opencode_patcher.drill.scenarios.steering import UNPAID
from opencode_patcher.upstream import lock
from tests.isolation import Isolation
from tests.real.conftest import make_workshop, put_bun_first
from tests.real.held_provider import holding
from tests.real.workshop import Workshop, new_files, require_format, require_lint, run_tests

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(1800)]

INSTEAD: Mapping[str, tuple[str, ...]] = {
    "@effect/sql-sqlite-bun": ("@effect/sql-sqlite-bun=4.0.0-beta.102",),
    # The first one no longer brings what the release imports, so the second one is needed too.
    "@effect/opentelemetry": ("@effect/opentelemetry=4.0.0-beta.99", "@opentelemetry/sdk-trace-node=2.6.1"),
    "@fontsource/noto-sans-math": ("@fontsource/noto-sans-math=5.2.8",),
    "@fontsource/noto-sans-symbols": ("@fontsource/noto-sans-symbols=5.2.11",),
    "@fontsource/noto-sans-symbols-2": ("@fontsource/noto-sans-symbols-2=5.2.8",),
}
"""Versions that work, for packages whose requested version is missing from some registries."""


def build(store: Store, *packages: str) -> process.Completed:
    words = [word for package in packages for word in ("--package", package)]
    command = [sys.executable, "-m", "opencode_patcher", "build", "--line", "2", "--json", *words]
    return process.run(command, env={HOME_VARIABLE: str(store.root)}, check=False)


@pytest.fixture(scope="module")
def packages(built_as_it_is: process.Completed) -> tuple[str, ...]:
    """The packages to take instead of those that the registry lacks; none if it has them all."""
    said = json.loads(built_as_it_is.stdout)
    if built_as_it_is.code == 0:
        return ()
    lacking = [word.removesuffix("=VERSION") for word in said["error"]["next_step"].split() if "=VERSION" in word]
    assert lacking, said["error"]
    if unknown := set(lacking) - set(INSTEAD):
        pytest.skip(f"NOT TESTED, OpenCode 2 was not built: {said['error']['what']} Of {unknown} no other is known.")
    return tuple(package for name in lacking for package in INSTEAD[name])


@pytest.fixture(scope="module")
def built_as_it_is(real_store: Store, shared_settings: None, isolation: Isolation) -> process.Completed:
    with isolation.network():
        return build(real_store)


@pytest.fixture(scope="module")
def built(
    real_store: Store, built_as_it_is: process.Completed, packages: tuple[str, ...], isolation: Isolation
) -> Mapping[str, object]:
    """What ``build`` says of the binary."""
    with isolation.network():
        done = build(real_store, *packages) if packages else built_as_it_is
    assert done.code == 0, done.stdout + done.stderr
    found: Mapping[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def tree(real_store: Store, shared_settings: None, packages: tuple[str, ...], isolation: Isolation) -> Workshop:
    request = Request(
        line=OPENCODE_2, patches=resources.patches(OPENCODE_2), source=OPENCODE_2.source, packages=packages
    )
    with isolation.network():
        return make_workshop(request, lock.read_lock(lock.LOCK_FILE.with_name(OPENCODE_2.lock)), real_store)


@pytest.fixture
def workshop_2(tree: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    put_bun_first(tree, monkeypatch)
    return tree


def test_build_makes_a_binary_that_passes_the_quick_drill(built: Mapping[str, object]) -> None:
    drill, release = built["drill"], built["release"]
    assert isinstance(drill, dict)
    assert isinstance(release, dict)
    assert drill["failed"] == []
    assert len(drill["passed"]) >= 18
    said = process.run([str(built["binary"]), "--version"]).stdout
    assert f"v{printed(said)}" == release["tag"]


def test_run_says_who_goes_on_and_steers_its_session(built: Mapping[str, object], tmp_path: Path) -> None:
    def ask(*words: str) -> process.Completed:
        providers = (replace(ALPHA, then=UNPAID), BETA)
        with holding(tmp_path / "-".join(("user", *words)), GREETING, *providers) as (home, held):
            for one in held:
                one.go_on()
            command = [str(built["binary"]), "run", "--standalone", "--model", "combined/claude-sonnet-4-5", *words]
            return process.run(
                [*command, GREETING.prompt], cwd=home.work, env=environment(home), check=False, timeout=120
            )

    def answering(done: process.Completed) -> list[str]:
        return re.findall(r"^> build · \S+ \((\w+)\)", done.stdout + done.stderr, re.MULTILINE)

    plain = ask()
    assert plain.code == 0
    assert answering(plain) == ["beta"]
    (switch,) = (line for line in plain.stderr.splitlines() if line.startswith("Failover: "))
    assert switch.endswith("Beta takes over")
    assert GREETING.replies[0].text("beta") in plain.stdout

    events = [json.loads(line) for line in ask("--format", "json").stdout.splitlines()]
    (failover,) = (event for event in events if event["type"] == "failover")
    assert (failover["action"], failover["from"]) == ("moved", "alpha/claude-sonnet-4-5")

    for words in (["--pin", "beta"], ["--skip", "alpha"]):
        assert answering(ask(*words)) == ["beta"]
    off = ask("--no-failover")
    assert off.code == 1
    assert "Failover is off in this session" in off.stderr
    unknown = ask("--pin", "nobody")
    assert unknown.code == 1
    assert "No combined model has a member nobody" in unknown.stderr


def test_our_tests_pass_in_its_tree(workshop_2: Workshop) -> None:
    tests = [path for path in new_files(workshop_2) if ".test." in path]
    packages = {"/".join(path.split("/")[:2]) for path in tests}
    assert packages >= {"packages/core", "packages/ai"}
    for package in sorted(packages):
        files = [path.removeprefix(f"{package}/") for path in tests if path.startswith(f"{package}/")]
        assert run_tests(workshop_2, *files, package=package) >= len(files)


def test_the_type_check_of_upstream_is_clean(workshop_2: Workshop) -> None:
    # Several checkers can meet upstream's types in an order in which one of them seems to refer to itself.
    process.run([workshop_2.bun, "run", "typecheck", "--checkers", "1"], cwd=workshop_2.path / "packages/core")


def test_the_new_files_are_formatted_as_upstream_formats(workshop_2: Workshop) -> None:
    require_format(workshop_2, new_files(workshop_2))


def test_the_linter_of_upstream_finds_nothing_that_upstream_does_not_do_too(workshop_2: Workshop) -> None:
    require_lint(workshop_2, new_files(workshop_2))
