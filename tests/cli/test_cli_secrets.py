"""Puts recognisable secrets into every source, and then checks what is shown, logged and stored."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from opencode_patcher import __main__
from tests.configuration.config_samples import REPORT, answering

NOBODY = "http://me:{secret}@127.0.0.1:9/"


def test_no_secret_is_shown_or_stored(
    isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets: list[str] = []

    def secret() -> str:
        secrets.append(f"s3cret-number-{len(secrets)}-of-the-test")
        return secrets[-1]

    work, temporary, data = tmp_path / "work", tmp_path / "temporary", isolated / ".local/share/opencode"
    for directory in (work, temporary, data):
        directory.mkdir(parents=True)
    monkeypatch.chdir(work)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr("opencode_patcher.toolchain.npm_registry.PAUSE_SECONDS", 0.0)
    for name in ("OPENAI_API_KEY", "GITHUB_TOKEN", "MY_KEY", "MY_MODEL", "MY_NUMBER"):
        monkeypatch.setenv(name, secret())
    monkeypatch.setenv("npm_config_registry", NOBODY.format(secret=secret()))
    monkeypatch.setenv("HTTPS_PROXY", NOBODY.format(secret=secret()))
    (isolated / ".npmrc").write_text(f"//127.0.0.1:9/:_authToken={secret()}\n")
    (isolated / "key.txt").write_text(secret())
    logins = {"openai": {"type": "api", "key": secret()}, "acme": {"type": "oauth", "refresh": secret(), "access": ""}}
    (data / "auth.json").write_text(json.dumps(logins))
    provider = {"options": {"apiKey": "{env:MY_KEY}", "other": "{file:~/key.txt}"}, "models": {"{env:MY_MODEL}": {}}}
    config = {
        "model": "combined/{env:MY_MODEL}",
        "small_model": "{env:MY_MODEL}",
        "provider_priority": ["openai", "{env:MY_KEY}"],
        "combined": {
            "exclude": ["{env:MY_KEY}"],
            "groups": {"{env:MY_KEY}": ["{env:MY_KEY}/x"]},
            "typo": "{env:MY_KEY}",
        },
        "provider": {"acme": provider, "{env:MY_KEY}": {"name": "{env:MY_MODEL}"}},
    }
    (work / "opencode.json").write_text(json.dumps(config).replace('"typo": "{env:MY_KEY}"', '"typo": {env:MY_NUMBER}'))
    models = {"gpt-5.1": {"id": "gpt-5.1", "name": "GPT-5.1", "release_date": "2026-01-01"}}
    providers = {
        name: {"id": name, "name": name, "env": [f"{name.upper()}_API_KEY"], "models": models}
        for name in ("openai", "acme")
    }
    catalogue = tmp_path / "catalogue.json"
    catalogue.write_text(json.dumps(providers))
    source = NOBODY.format(secret=secret()) + "opencode.git"
    said = f"provider_priority: no provider {os.environ['MY_KEY']}."
    mistakes = [{"source": str(work / "opencode.json"), "text": said}]
    binary = answering(tmp_path / "opencode", REPORT | {"mistakes": mistakes})

    shown = []
    for text in ((work / "opencode.json").read_text(), json.dumps(config), "{ broken {env:MY_KEY}"):
        (work / "opencode.json").write_text(text)
        for words in (
            *(["config", *more, "--binary", str(binary)] for more in ([], ["--check"], ["--json"])),
            ["models", "groups", "--catalog", str(catalogue), "--config", "opencode.json"],
            *(["doctor", "--source", source, *more] for more in ([], ["--json"])),
        ):
            __main__.run(words)
            shown += [*capsys.readouterr()]
    for words in (["build", "v1.18.3"], ["check", "v1.18.3"], ["update"], ["build", "v1.18.3", "--json", "--verbose"]):
        __main__.run([*words, "--source", source])
        shown += [*capsys.readouterr()]

    assert "anthropic" in "".join(shown)
    assert "no provider {env:MY_KEY}" in "".join(shown)
    stored = [path for root in (tmp_path, isolated) for path in root.rglob("*") if path.is_file()]
    # git needs the login to fetch; the store is private.
    fetching = {*(isolated / "store" / "sources").glob("*/config")}
    assert (isolated / "store").stat().st_mode & 0o777 == 0o700
    sources = {isolated / ".npmrc", isolated / "key.txt", data / "auth.json", *fetching}
    sources |= {binary.with_suffix(".json"), Path(f"{binary}.asked")}
    for one in secrets:
        assert not [text for text in shown if one in text], one
        assert not [path for path in stored if path not in sources and one in path.read_text(errors="replace")], one
    assert os.environ["MY_KEY"] in secrets
