"""The bun on PATH if it fits, else one from the registry, unharmed or not at all."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.toolchain import bun, bun_package, npm_registry, npm_settings, platforms
from opencode_patcher.toolchain.npm_settings import DEFAULT_REGISTRY
from opencode_patcher.upstream.lock import BunPins, read_lock
from tests.toolchain.fake_registry import Registry, archive

PACKAGE = platforms.bun_package(platforms.detect())
BUN = "#!/bin/sh\necho 1.3.14\n"
GOOD = archive({"package/package.json": "{}", "package/bin/bun": BUN})

pytestmark = pytest.mark.skipif(os.name == "nt", reason="bun is a shell script here")


class Notes(SilentReporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    warn = note


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm_registry, "PAUSE_SECONDS", 0.0)


def on_path(home: Path, script: str) -> Path:
    path = home / "bin" / "bun"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def ensure(store: Store, pins: BunPins | None = None) -> bun.Bun:
    return bun.ensure(store, "1.3.14", pins or {}, SilentReporter())


def integrity(data: bytes) -> str:
    return f"sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}"


def refused(store: Store, pins: BunPins | None = None) -> ToolchainError:
    """The error of ``ensure``, which must leave nothing behind."""
    with pytest.raises(ToolchainError) as caught:
        ensure(store, pins)
    assert not store.toolchains.exists() or list(store.toolchains.iterdir()) == []
    return caught.value


@pytest.mark.parametrize(
    ("version", "required", "expected"),
    [
        ("1.3.14", "1.3.14", True),
        ("1.3.15", "1.3.14", True),
        ("1.10.0", "1.3.14", True),
        ("1.3.13", "1.3.14", False),
        ("2.0.0", "1.3.14", False),
        ("1.3.15-canary.1", "1.3.14", False),
        ("0.2.9", "0.2.3", True),
        ("0.3.0", "0.2.3", False),
        ("0.0.4", "0.0.3", False),
        ("", "1.3.14", False),
    ],
)
def test_the_range_that_upstream_checks(version: str, required: str, expected: bool) -> None:
    assert bun.satisfies(version, required) is expected


def test_a_fitting_bun_on_path_is_used(home: Path, store: Store) -> None:
    path = on_path(home, "echo 1.4.0")
    assert ensure(store) == bun.Bun(path=path, version="1.4.0", origin="PATH")
    assert not store.toolchains.exists()


@pytest.mark.parametrize("script", ["echo 1.3.13", "echo 2.0.0", "exit 1", "echo hello"])
def test_an_unsuitable_bun_on_path_is_skipped(home: Path, store: Store, registry: Registry, script: str) -> None:
    path = on_path(home, script)
    registry.add(PACKAGE, "1.3.14", GOOD)
    reporter = Notes()
    found = bun.ensure(store, "1.3.14", {}, reporter)
    assert (found.version, found.origin) == ("1.3.14", "store")
    assert str(path) in reporter.notes[0]


def test_fetched_once_and_then_kept(store: Store, registry: Registry) -> None:
    registry.add(PACKAGE, "1.3.14", GOOD)
    registry.add(PACKAGE, "1.4.0", archive({"package/bin/bun": "#!/bin/sh\necho 1.4.0\n"}))
    found = ensure(store)
    assert found.path.is_relative_to(store.toolchains)
    assert found.path.read_text() == BUN
    asked = len(registry.requests)
    assert ensure(store) == found
    assert len(registry.requests) == asked == 2


def test_nothing_but_the_program_is_unpacked(store: Store, registry: Registry) -> None:
    hostile = {"../escaped": "x", "/absolute": "x", "package/bin/bun": BUN, "link:package/bin/bunx": "/etc/passwd"}
    registry.add(PACKAGE, "1.3.14", archive(hostile))
    found = ensure(store)
    unpacked = [path for path in store.root.rglob("*") if path.is_file() and path.is_relative_to(store.toolchains)]
    assert sorted(unpacked) == [found.path, found.path.with_name("bun.fetched.json")]


def test_a_registry_cannot_replace_bun(store: Store, registry: Registry) -> None:
    registry.add(PACKAGE, "1.3.14", archive({"package/bin/bun": BUN, "package/readme": "another one"}))
    error = refused(store, {"1.3.14": {PACKAGE: integrity(GOOD)}})
    assert "archive is not the one that the lock pins" in error.why
    assert len(registry.requests) == 1


def test_a_bun_from_elsewhere_is_fetched_again(store: Store, registry: Registry) -> None:
    registry.add(PACKAGE, "1.3.14", archive({"package/bin/bun": f"{BUN}# another one\n"}))
    assert "another" in ensure(store).path.read_text()
    registry.add(PACKAGE, "1.3.14", GOOD)
    assert ensure(store, {"1.3.14": {PACKAGE: integrity(GOOD)}}).path.read_text() == BUN


@pytest.mark.parametrize("harm", ["changed", "linked", "without its note"])
def test_a_changed_bun_in_the_store_is_fetched_again(store: Store, registry: Registry, harm: str) -> None:
    registry.add(PACKAGE, "1.3.14", GOOD)
    path = ensure(store).path
    if harm == "changed":
        path.write_text(f"{BUN}touch {store.root}/ran\n")
    elif harm == "linked":
        path.rename(store.root / "other")
        path.symlink_to(store.root / "other")
    else:
        path.with_name("bun.fetched.json").unlink()
    before = len(registry.requests)
    assert ensure(store).path.read_text() == BUN
    assert not path.is_symlink()
    assert not (store.root / "ran").exists()
    assert len(registry.requests) > before


def test_every_platform_is_pinned_for_the_releases_that_are_built() -> None:
    for version in ("1.3.13", "1.3.14"):
        assert read_lock().bun[version].keys() == platforms.PACKAGES


def test_a_new_version_is_pinned_for_every_platform_that_the_registry_has(registry: Registry) -> None:
    registry.add(PACKAGE, "1.3.14", GOOD)
    notes = Notes()
    pins = bun_package.with_pins({"1.3.13": {"p": "sha512-x"}}, "1.3.14", notes)
    assert pins == {"1.3.13": {"p": "sha512-x"}, "1.3.14": {PACKAGE: integrity(GOOD)}}
    (said,) = notes.notes
    assert "Not pinned: " in said
    assert all((package in said) is (package != PACKAGE) for package in platforms.PACKAGES - {PACKAGE})
    asked = len(registry.requests)
    assert bun_package.with_pins(pins, "1.3.14", notes) == pins
    assert len(registry.requests) == asked


def test_a_registry_that_has_no_platform_of_a_new_version_is_an_error(registry: Registry) -> None:
    with pytest.raises(ToolchainError, match="for no platform"):
        bun_package.with_pins({}, "1.3.14", SilentReporter())


@pytest.mark.parametrize("failures", [[401], [503] * npm_registry.ATTEMPTS])
def test_a_registry_that_fails_leaves_no_platform_without_a_pin(registry: Registry, failures: list[int]) -> None:
    for package in platforms.PACKAGES:
        registry.add(package, "1.3.14", GOOD)
    registry.failures = failures
    with pytest.raises(ToolchainError, match=str(failures[0])):
        bun_package.with_pins({}, "1.3.14", SilentReporter())


def test_programs_and_settings_in_the_current_directory_are_ignored(
    home: Path, store: Store, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.add(PACKAGE, "1.3.14", GOOD)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    for name in ("bun", "node"):
        (project / name).write_text("#!/bin/sh\necho 1.4.0\n")
        (project / name).chmod(0o755)
    (project / ".npmrc").write_text("registry=http://127.0.0.1:9/\n@oven:registry=http://127.0.0.1:9/\n")
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "./", str(home / "bin")]))
    assert ensure(store).origin == "store"


def test_a_damaged_archive_is_not_used(store: Store, registry: Registry) -> None:
    registry.add(PACKAGE, "1.3.14", GOOD)
    name = next(iter(registry.archives))
    registry.archives[name] = GOOD[:-20] + bytes(20)
    assert "SHA-512 differs" in refused(store).why


def test_a_cut_download_is_not_used(store: Store, registry: Registry) -> None:
    registry.add(PACKAGE, "1.3.14", archive({"package/bin/bun": BUN, "more": os.urandom(100_000)}))
    registry.cut_archives = True
    assert "The download ended after" in refused(store).why


@pytest.mark.parametrize("integrity", ["sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "sha512-AAAA", "sha512-?", "nonsense"])
def test_without_a_good_digest_nothing_is_fetched(store: Store, registry: Registry, integrity: str) -> None:
    registry.add(PACKAGE, "1.3.14", GOOD, integrity=integrity)
    assert "is malformed" in refused(store).why
    assert len(registry.requests) == 1


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"package/readme": "no program"}, "KeyError"),
        ({"link:package/bin/bun": "/bin/sh"}, "cannot be used"),
        ({"package/bin/bun": "#!/bin/sh\nexit 1\n"}, "does not run"),
        ({"package/bin/bun": "#!/bin/sh\necho 1.3.15\n"}, "does not run"),
    ],
)
def test_a_package_without_a_program_that_runs(
    store: Store, registry: Registry, files: dict[str, str], reason: str
) -> None:
    registry.add(PACKAGE, "1.3.14", archive(files))
    assert reason in str(refused(store))


def test_an_invalid_archive(store: Store, registry: Registry) -> None:
    registry.add(PACKAGE, "1.3.14", b"not an archive")
    assert "cannot be used" in refused(store).what


def test_a_version_that_the_registry_lacks(store: Store, registry: Registry) -> None:
    registry.add(PACKAGE, "1.0.0", GOOD)
    assert "does not have this version" in refused(store).why


def test_a_package_that_the_registry_lacks(store: Store, registry: Registry) -> None:
    error = refused(store)
    assert "404" in error.why
    assert registry.url in error.why
    assert "npm_config_registry" in error.next_step


@pytest.mark.parametrize(
    "document", [{}, {"versions": []}, {"versions": {"1.3.14": {}}}, {"versions": {"1.3.14": None}}]
)
def test_an_answer_that_is_not_from_npm(store: Store, registry: Registry, document: dict[str, object]) -> None:
    registry.documents[PACKAGE] = document
    assert refused(store).why


def test_an_unreachable_registry(home: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    error = refused(store)
    assert "cannot be reached" in error.why
    assert "HTTPS_PROXY" in error.next_step


@pytest.mark.parametrize(
    "setting", ["nope", "//x", "data:,x", "fd::17", "file:///dev/zero", "http://[::1", "http://host:port"]
)
def test_a_registry_setting_that_is_not_an_address(
    home: Path, store: Store, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("npm_config_registry", setting)
    assert "npm's registry setting is not a" in refused(store).why
    with pytest.raises(ToolchainError) as caught:
        npm_registry.ask(npm_settings.read_settings(), PACKAGE, timeout=1)
    assert "npm's registry setting is not a" in caught.value.why


def test_a_short_failure_is_retried(store: Store, registry: Registry) -> None:
    registry.add(PACKAGE, "1.3.14", GOOD)
    registry.failures = [503, 429]
    assert ensure(store).version == "1.3.14"


def test_a_lasting_failure_is_an_error(store: Store, registry: Registry) -> None:
    registry.failures = [503] * 10
    assert "503" in refused(store).why
    assert len(registry.requests) == npm_registry.ATTEMPTS


def test_a_registry_with_login(home: Path, store: Store, registry: Registry) -> None:
    registry.add(PACKAGE, "1.3.14", GOOD)
    registry.token = "Bearer t0k3n"
    assert "asks for a login" in refused(store).why
    host = registry.url.removeprefix("http:")
    (home / ".npmrc").write_text(f"{host}:_authToken=t0k3n\n")
    assert ensure(store).version == "1.3.14"


def test_the_login_is_not_given_to_another_server(
    home: Path, store: Store, registry: Registry, make_registry: Callable[[], Registry]
) -> None:
    files = make_registry()
    files.add(PACKAGE, "1.3.14", GOOD)
    registry.add(PACKAGE, "1.3.14", GOOD)
    registry.token = "Bearer t0k3n"
    registry.redirect_archives_to = files.url
    (home / ".npmrc").write_text(f"{registry.url.removeprefix('http:')}:_authToken=t0k3n\n")
    assert ensure(store).version == "1.3.14"
    assert [request.authorization for request in files.requests] == [None]


def test_a_login_in_the_address_is_used_and_not_shown(
    store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", registry.url.replace("http://", "http://me:secret@"))
    registry.token = "Basic bWU6c2VjcmV0"
    error = refused(store)
    assert "404" in error.why
    assert "secret" not in str(error)


def test_a_scope_with_its_own_registry(
    home: Path, store: Store, registry: Registry, make_registry: Callable[[], Registry]
) -> None:
    other = make_registry()
    other.add(PACKAGE, "1.3.14", GOOD)
    (home / ".npmrc").write_text(f"@oven:registry={other.url}\n")
    assert ensure(store).version == "1.3.14"
    assert registry.requests == []


def test_a_mirror_with_public_addresses_is_asked_itself(store: Store, registry: Registry) -> None:
    registry.add(PACKAGE, "1.3.14", GOOD, host=DEFAULT_REGISTRY)
    assert ensure(store).version == "1.3.14"
    assert len(registry.requests) == 2


def test_the_proxy_of_the_environment_is_used(
    home: Path, store: Store, make_registry: Callable[[], Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = make_registry()
    proxy.add(PACKAGE, "1.3.14", GOOD, host="http://registry.invalid/")
    monkeypatch.setenv("npm_config_registry", "http://registry.invalid/")
    monkeypatch.setenv("http_proxy", proxy.url)
    assert ensure(store).version == "1.3.14"
    assert {request.host for request in proxy.requests} == {"registry.invalid"}


def test_no_proxy_is_respected(store: Store, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.add(PACKAGE, "1.3.14", GOOD)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert ensure(store).version == "1.3.14"


def test_certificates_that_cannot_be_read(home: Path, store: Store, registry: Registry) -> None:
    (home / ".npmrc").write_text(f"cafile={home}/none.pem\n")
    error = refused(store)
    assert "none.pem" in error.why
    assert "cafile" in error.next_step
