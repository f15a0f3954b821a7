"""npm's settings, merged as npm merges them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from opencode_patcher.toolchain import npm_settings
from opencode_patcher.toolchain.npm_settings import DEFAULT_REGISTRY, Settings


def read(tmp_path: Path, environment: dict[str, str] | None = None, **files: str) -> Settings:
    """Settings of a user with the given files (``user``, ``everyone``) and environment."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    places = {"user": home / ".npmrc", "everyone": tmp_path / "npmrc"}
    for name, text in files.items():
        places[name].write_text(text)
    return npm_settings.read_settings(
        {"HOME": str(home), "npm_config_globalconfig": str(places["everyone"]), **(environment or {})},
    )


def test_nothing_set_means_npms_own_default(tmp_path: Path) -> None:
    assert read(tmp_path).registry("left-pad") == DEFAULT_REGISTRY
    assert read(tmp_path).authorization(DEFAULT_REGISTRY) is None


def test_the_order_of_the_places(tmp_path: Path) -> None:
    files = {name: f"registry = http://{name}.invalid/\n" for name in ("everyone", "user")}
    found = []
    for count in (1, 2):
        some = dict(list(files.items())[:count])
        found.append(read(tmp_path, None, **some).registry("x"))
    found.append(read(tmp_path, {"NPM_CONFIG_REGISTRY": "http://environment.invalid"}, **files).registry("x"))
    places = ("everyone", "user", "environment")
    assert found == [f"http://{place}.invalid/" for place in places]


def test_userconfig_names_another_file(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("registry=http://other.invalid/npm\n")
    settings = read(tmp_path, {"NPM_CONFIG_USERCONFIG": str(other)}, user="registry=http://user.invalid\n")
    assert settings.registry("x") == "http://other.invalid/npm/"


def test_a_scope_has_its_own_registry(tmp_path: Path) -> None:
    settings = read(tmp_path, user="registry=http://all.invalid\n@oven:registry=http://oven.invalid\n")
    assert settings.registry("@oven/bun-linux-x64") == "http://oven.invalid/"
    assert settings.registry("@other/x") == "http://all.invalid/"
    assert settings.registry("oven") == "http://all.invalid/"


def test_comments_quotes_lists_and_variables() -> None:
    text = '; one\n# two\n[section]\n\nregistry = "http://a.invalid/${ NAME}${PART}"\nca[]=x\nflag\nempty=\n'
    assert npm_settings.parse(text, {"PART": "npm"}) == {
        "registry": "http://a.invalid/${ NAME}npm",
        "ca": "x",
        "flag": "",
        "empty": "",
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("//host.invalid/:_authToken=${TOKEN}", "Bearer t0k3n"),
        ("//host.invalid/npm/:_authToken=t0k3n", "Bearer t0k3n"),
        ("//host.invalid:_authToken=t0k3n", "Bearer t0k3n"),
        ("//host.invalid/:_auth=dTpw", "Basic dTpw"),
        ("//host.invalid/:username=u\n//host.invalid/:_password=cA==", "Basic dTpw"),
        ("//other.invalid/:_authToken=t0k3n", None),
        ("//host.invalid/other/:_authToken=t0k3n", None),
        ("//host.invalid:8080/:_authToken=t0k3n", None),
        ("_authToken=t0k3n", None),
    ],
)
def test_credentials_are_only_for_their_host_and_path(tmp_path: Path, line: str, expected: str | None) -> None:
    settings = read(tmp_path, {"TOKEN": "t0k3n"}, user=line)
    assert settings.authorization("https://host.invalid/npm/@oven%2fbun") == expected


def test_the_longest_path_wins(tmp_path: Path) -> None:
    settings = read(tmp_path, user="//h.invalid/:_authToken=short\n//h.invalid/a/b/:_authToken=long\n")
    assert settings.authorization("https://h.invalid/a/b/c") == "Bearer long"
    assert settings.authorization("https://h.invalid/a/c") == "Bearer short"


def test_credentials_in_the_environment_and_in_the_address(tmp_path: Path) -> None:
    settings = read(tmp_path, {"npm_config_//h.invalid/:_authToken": "t"})
    assert settings.authorization("https://h.invalid/x") == "Bearer t"
    assert settings.authorization("https://u:p%40@i.invalid/x") == "Basic " + base64.b64encode(b"u:p@").decode()


def test_certificates_and_proxies(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        {"NODE_EXTRA_CA_CERTS": "/extra.pem", "npm_config_https_proxy": "http://secure.invalid:1"},
        user="cafile=/company.pem\nproxy=http://plain.invalid:2\n",
    )
    assert settings.certificates == (Path("/company.pem"), Path("/extra.pem"))
    assert settings.proxies == {"http": "http://plain.invalid:2", "https": "http://secure.invalid:1"}
    assert read(tmp_path, user="https-proxy=null\n").proxies == {}


def test_the_global_file_is_beside_node(tmp_path: Path) -> None:
    node = tmp_path / "prefix" / "bin" / "node"
    node.parent.mkdir(parents=True)
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    settings = tmp_path / "prefix" / "etc" / "npmrc"
    settings.parent.mkdir()
    settings.write_text("registry=http://everyone.invalid\n")
    found = npm_settings.read_settings({"PATH": str(node.parent)})
    assert found.registry("x") == "http://everyone.invalid/"
