"""Whatever the user has set for npm and bun decides from where packages come, and never what is installed."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from opencode_patcher.base import process
from opencode_patcher.base.errors import ProcessError, ToolchainError
from opencode_patcher.toolchain import bun_home, dependencies, npm_registry, npm_settings, surroundings
from tests.toolchain.fake_registry import Registry, archive, serve

PACKAGE = archive({"package/package.json": '{"name": "left-pad", "version": "1.0.0"}', "package/index.js": ""})
DATA = Path(__file__).with_name("data")
NPMRC, BUNFIG = ".npmrc", ".bunfig.toml"


@pytest.fixture
def corporate(make_registry: Callable[[], Registry], home: Path) -> Registry:
    """A registry under a path of its server, which asks for a token."""
    registry = make_registry()
    registry.add("npm/left-pad", "1.0.0", PACKAGE)
    registry.documents["npm/left-pad"]["name"] = "left-pad"
    registry.documents["npm/left-pad"]["dist-tags"] = {"latest": "1.0.0"}
    registry.documents["npm/@scope/left-pad"] = registry.documents["npm/left-pad"]
    registry.token = "Bearer t0k3n"
    return registry


@pytest.fixture
def install(bun: Path, tmp_path: Path) -> Callable[[], Path]:
    """Runs ``bun install`` as a build does, and returns the directory of what a package needs for its development."""
    project, scratch = tmp_path / "project", tmp_path / "scratch"
    project.mkdir()
    scratch.mkdir(0o700)
    (project / "package.json").write_text(json.dumps({"name": "x", "devDependencies": {"left-pad": "1.0.0"}}))

    def run() -> Path:
        env = surroundings.for_registry(scratch)
        process.run([bun, "install", "--ignore-scripts", "--no-save"], cwd=project, env=env)
        return project / "node_modules/left-pad"

    return run


@pytest.mark.parametrize(
    "settings",
    [
        {NPMRC: "registry={url}npm/\n//{host}/:_authToken=t0k3n\n"},
        {NPMRC: "registry={url}npm\n//{host}/npm/:_authToken=${{TOKEN}}\n"},
        {NPMRC: "registry={url}npm/\n//{host}/:_authToken=t0k3n\nomit=dev\nomit[]=optional\nproduction=true\n"},
        {NPMRC: "//{host}/:_authToken=t0k3n\nignore-scripts=true\n", "npm_config_registry": "{url}npm/"},
        {BUNFIG: '[install]\nregistry = {{ url = "{url}npm/", token = "t0k3n" }}\nfrozenLockfile = true\n'},
        {
            BUNFIG: '[install]\nproduction = true\ndev = false\nregistry = "{url}npm"\n',
            NPMRC: "//{host}/:_authToken=t0k3n",
        },
        {"BUN_CONFIG_REGISTRY": "{url}npm/", "BUN_CONFIG_TOKEN": "t0k3n", "BUN_CONFIG_SKIP_INSTALL_PACKAGES": "1"},
        {"npm_config_registry": "{url}npm/", "npm_config_//{host}/:_authToken": "t0k3n", "npm_config_omit": "dev"},
        {"npm_config_registry": "{url}npm/", "NODE_ENV": "production", NPMRC: "//{host}/:_authToken=t0k3n"},
        {"npm_config_registry": "{url}npm/", "BUN_OPTIONS": "--nonsense", NPMRC: "//{host}/npm/:_authToken=t0k3n"},
    ],
)
def test_both_readers_get_the_package(
    settings: dict[str, str],
    corporate: Registry,
    install: Callable[[], Path],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = corporate.url.removeprefix("http://").rstrip("/")
    monkeypatch.setenv("TOKEN", "t0k3n")
    for name, value in settings.items():
        name, value = name.format(url=corporate.url, host=host), value.format(url=corporate.url, host=host)
        if name in (NPMRC, BUNFIG):
            (home / name).write_text(value)
        else:
            monkeypatch.setenv(name, value)

    found = npm_registry.find(npm_settings.read_settings(), "left-pad", "1.0.0")

    assert npm_registry.download(npm_settings.read_settings(), found) == PACKAGE
    assert (install() / "package.json").is_file()


def test_the_home_is_private_and_holds_nothing_else(tmp_path: Path, home: Path) -> None:
    (home / NPMRC).write_text("registry=http://r.invalid/a/\n//r.invalid/:_authToken=t\n@s:registry=http://s.invalid\n")
    place = tmp_path / "place"
    place.mkdir()

    bun_home.hand_over(npm_settings.read_settings(), place)

    assert [path.name for path in place.iterdir()] == [BUNFIG]
    assert (place / BUNFIG).stat().st_mode & 0o777 == 0o600
    assert (place / BUNFIG).read_text() == (
        '[install]\nregistry = { url = "http://r.invalid/a/", token = "t" }\n'
        '[install.scopes]\n"@s" = { url = "http://s.invalid/" }\n'
    )


@pytest.mark.parametrize("address", ["http://[", "registry.invalid", "file:///etc", "https://", "\u2100://x", "7"])
@pytest.mark.parametrize("where", [NPMRC, BUNFIG, "npm_config_registry", "BUN_CONFIG_REGISTRY"])
def test_a_registry_that_is_not_an_address_is_named_with_the_place_of_the_setting(
    where: str, address: str, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUN_CONFIG_TOKEN", "t")
    if where == NPMRC:
        (home / where).write_text(f"registry={address}\n")
    elif where == BUNFIG:
        (home / where).write_text(f'[install]\nregistry = {{ url = "{address}", token = "t" }}\n')
    else:
        monkeypatch.setenv(where, address)

    with pytest.raises(ToolchainError) as for_bun:
        bun_home.hand_over(npm_settings.read_settings(), tmp_path)
    with pytest.raises(ToolchainError):
        npm_registry.ask(npm_settings.read_settings(), "left-pad", timeout=5)

    assert address in str(for_bun.value)
    assert {NPMRC: str(home / NPMRC), BUNFIG: str(home / BUNFIG)}.get(where, where.partition("npm_config")[0]) in str(
        for_bun.value
    )


@pytest.mark.parametrize("setting", ["_auth=x", "_auth=\u00e9\u00e9=", "username=me\n//r.invalid/:_password=x"])
def test_credentials_that_are_not_base64_are_left_to_the_registry_to_refuse(
    setting: str, tmp_path: Path, home: Path
) -> None:
    (home / NPMRC).write_text(f"registry=https://r.invalid/\n//r.invalid/:{setting}\n")

    bun_home.hand_over(npm_settings.read_settings(), tmp_path)

    assert 'url = "https://r.invalid/", username = ' in (tmp_path / BUNFIG).read_text()


@pytest.fixture
def encrypted(corporate: Registry) -> Iterator[tuple[str, Path]]:
    """The registry behind TLS, and the certificate that one has to trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "server.pem", DATA / "server-key.pem")
    server: ThreadingHTTPServer = serve(corporate, context)
    yield corporate.url, DATA / "server.pem"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("how", ["absolute", "tilde", "environment", "inline", "extra", "bunfig"])
def test_a_certificate_is_trusted_however_it_is_named(
    how: str,
    encrypted: tuple[str, Path],
    corporate: Registry,
    install: Callable[[], Path],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, certificate = encrypted
    corporate.token = None
    corporate.add("npm/left-pad", "1.0.0", PACKAGE)
    (home / "ca.pem").write_text(certificate.read_text())
    lines = [f"registry={url}npm/"]
    if how == "absolute":
        lines.append(f"cafile={certificate}")
    elif how == "tilde":
        lines.append("cafile=~/ca.pem")
    elif how == "environment":
        monkeypatch.setenv("npm_config_cafile", str(certificate))
    elif how == "inline":
        lines.append('ca="' + certificate.read_text().replace("\n", "\\n") + '"')
    elif how == "extra":
        monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(certificate))
    else:
        (home / BUNFIG).write_text(f'[install]\ncafile = "{certificate}"\n')
    (home / NPMRC).write_text("\n".join(lines) + "\n")

    assert npm_registry.find(npm_settings.read_settings(), "left-pad", "1.0.0")
    assert (install() / "package.json").is_file()


def test_a_certificate_that_is_not_trusted_names_the_settings_and_where_they_are_from(
    encrypted: tuple[str, Path], install: Callable[[], Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = encrypted
    (home / NPMRC).write_text(f"registry={url}npm/\nstrict-ssl=false\n")
    monkeypatch.setenv("SSL_CERT_DIR", "/etc/ssl/certs")

    with pytest.raises(ToolchainError) as refused:
        npm_registry.find(npm_settings.read_settings(), "left-pad", "1.0.0")
    with pytest.raises(ProcessError) as by_bun:
        install()

    message = str(refused.value)
    assert "certificate is not trusted" in message
    assert f"strict-ssl=... ({home}/.npmrc)" in message
    assert "SSL_CERT_DIR=/etc/ssl/certs (environment)" in message
    assert f"{url}npm/ ({home}/.npmrc)" in message
    assert "npm config set cafile FILE" in message
    assert dependencies.DISTRUST.search(by_bun.value.output)
