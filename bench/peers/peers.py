"""How each peer is set up: in the setting that its own documentation recommends for a fallback."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from opencode_patcher.drill.drivers.home import configuration, harmless
from opencode_patcher.drill.fakes.fake_provider import FakeProvider

KEY = "sk-peers"
"""The key of a proxy, which some demand."""

SILENCE_SECONDS = 10
"""How long a provider may be silent, in every peer that has a setting for it."""

START_SECONDS = 300.0
"""How long a proxy may take to start."""

ENVIRONMENT = {"NO_PROXY": "127.0.0.1,localhost", "HTTPS_PROXY": "http://127.0.0.1:9"}
"""A proxy reaches nothing but the fake providers."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What OpenCode gets: its configuration, further files below its configuration directory, and the model to ask."""

    settings: Mapping[str, object]
    model: str
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Peer(ABC):
    """A way to fail over. ``binary`` is the OpenCode that is used with it, ``other_model`` the model of all providers
    but the first, "" for the same one. ``line`` is the line of OpenCode.
    """

    binary: Path
    name: str
    other_model: str = ""
    line: int = 1

    @abstractmethod
    def running(self, fakes: Sequence[FakeProvider], place: Path) -> Iterator[Setup]:
        """Start what the peer needs besides OpenCode, in the directory ``place``, until the generator is closed."""


@dataclass(frozen=True, kw_only=True)
class Stock(Peer):
    """OpenCode without anything. It knows both providers; the user can only choose another one by hand."""

    name: str = "stock OpenCode"

    def running(self, fakes: Sequence[FakeProvider], place: Path) -> Iterator[Setup]:
        yield Setup(settings=_limited(_direct(fakes)), model=_first(fakes))


@dataclass(frozen=True, kw_only=True)
class Patched(Peer):
    """OpenCode with combined models."""

    name: str = "combined models"

    def running(self, fakes: Sequence[FakeProvider], place: Path) -> Iterator[Setup]:
        limit = SILENCE_SECONDS * 1000
        ours = {
            "provider_priority": [fake.provider.id for fake in fakes],
            "combined": {"first_token_timeout": limit, "stall_timeout": limit},
        }
        yield Setup(settings=_direct(fakes), model=f"combined/{fakes[0].provider.model}", extra={"combined.json": ours})


@dataclass(frozen=True, kw_only=True)
class Stock2(Peer):
    """OpenCode 2 without anything, with the limits for silence that its configuration takes."""

    name: str = "stock OpenCode 2"
    line: int = 2

    def running(self, fakes: Sequence[FakeProvider], place: Path) -> Iterator[Setup]:
        yield Setup(settings=_limited(_direct(fakes)), model=_first(fakes))


@dataclass(frozen=True, kw_only=True)
class Patched2(Patched):
    """OpenCode 2 with combined models."""

    name: str = "combined models in OpenCode 2"
    line: int = 2


@dataclass(frozen=True, kw_only=True)
class Plugin(Peer):
    """The plugin opencode-model-fallback in stock OpenCode, with the minimal example of its README."""

    plugin: Path
    name: str = "a fallback plugin"

    def running(self, fakes: Sequence[FakeProvider], place: Path) -> Iterator[Setup]:
        others = [f"{fake.provider.id}/{fake.provider.model}" for fake in fakes[1:]]
        chain = {
            "enabled": True,
            "defaults": {
                "fallbackOn": ["rate_limit", "quota_exceeded", "5xx", "timeout", "overloaded"],
                "cooldownMs": 300000,
                "retryOriginalAfterMs": 900000,
                "maxFallbackDepth": 3,
            },
            "agents": {"*": {"fallbackModels": others}},
        }
        settings = {**_limited(_direct(fakes)), "plugin": [self.plugin.as_uri()]}
        yield Setup(settings=settings, model=_first(fakes), extra={"model-fallback.json": chain})


MIGRATIONS = ["2026-07-opencode-config-unification", "2026-08-reasoning-unification"]
"""The migrations that oh-my-opencode 4.19 notes in a configuration that is current."""


@dataclass(frozen=True, kw_only=True)
class OhMyOpenCode(Peer):
    """The plugin oh-my-opencode with its ``runtime_fallback``, in a directory of npm packages. It leaves out the same
    model at another provider on purpose, so the others get a different one.
    """

    plugin: Path
    other_model: str = "gpt-5.1"
    name: str = "oh-my-opencode"

    def running(self, fakes: Sequence[FakeProvider], place: Path) -> Iterator[Setup]:
        models = [f"{fake.provider.id}/{fake.provider.model}" for fake in fakes]
        agent = {"model": models[0], "fallback_models": models[1:]}
        chain = {
            "runtime_fallback": {"enabled": True, "timeout_seconds": SILENCE_SECONDS},
            "agents": {"sisyphus": agent, "build": agent},
        }
        # The plugin migrates its older file by itself, but then no longer finds the fallback models.
        migrated = {"[opencode]": chain, "_migrations": MIGRATIONS}
        settings = {**_limited(_direct(fakes)), "plugin": [self.plugin.as_uri()]}
        yield Setup(settings=settings, model=models[0], extra={"../../.omo/omo.jsonc": migrated})


@dataclass(frozen=True, kw_only=True)
class LiteLLM(Peer):
    """A LiteLLM proxy, with the fallbacks, retries and time-outs of its page on reliability."""

    program: Path
    name: str = "LiteLLM"

    def running(self, fakes: Sequence[FakeProvider], place: Path) -> Iterator[Setup]:
        names = [fake.provider.id for fake in fakes]
        config = {
            "model_list": [
                {
                    "model_name": fake.provider.id,
                    "litellm_params": {
                        "model": f"openai/{fake.provider.model}",
                        "api_base": fake.base_url,
                        "api_key": fake.provider.key,
                        "stream_timeout": SILENCE_SECONDS,
                    },
                }
                for fake in fakes
            ],
            "litellm_settings": {
                "num_retries": 3,
                "request_timeout": SILENCE_SECONDS,
                "fallbacks": [{names[0]: names[1:]}],
                "allowed_fails": 3,
                "cooldown_time": 30,
                "drop_params": True,
            },
        }
        file = place / "litellm.yaml"
        file.write_text(json.dumps(config))  # JSON is YAML
        port = _free_port()
        command: list[str | Path] = [self.program, "--config", file, "--host", "127.0.0.1", "--port", str(port)]
        own = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": KEY}
        with _proxy(command, place, f"http://127.0.0.1:{port}/health/liveliness", own):
            yield _through(f"http://127.0.0.1:{port}/v1", names[0], {})


@dataclass(frozen=True, kw_only=True)
class Portkey(Peer):
    """Portkey's open-source gateway, with its strategy ``fallback``; the routing is in a header of each request."""

    runtime: Path
    program: Path
    name: str = "Portkey gateway"

    def running(self, fakes: Sequence[FakeProvider], place: Path) -> Iterator[Setup]:
        config = {
            "strategy": {"mode": "fallback"},
            "targets": [
                {
                    "provider": "openai",
                    "api_key": fake.provider.key,
                    "custom_host": fake.base_url,
                    "override_params": {"model": fake.provider.model},
                    "request_timeout": SILENCE_SECONDS * 1000,
                    "retry": {"attempts": 1},
                }
                for fake in fakes
            ],
        }
        port = _free_port()
        command: list[str | Path] = [self.runtime, self.program, f"--port={port}", "--headless"]
        own = {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost", "NODE_ENV": "production"}
        with _proxy(command, place, f"http://127.0.0.1:{port}/", own):
            yield _through(
                f"http://127.0.0.1:{port}/v1", fakes[0].provider.id, {"x-portkey-config": json.dumps(config)}
            )


def _direct(fakes: Sequence[FakeProvider]) -> dict[str, object]:
    """OpenCode's configuration with all providers."""
    return configuration(
        [fake.provider for fake in fakes], {fake.provider.id: fake.base_url for fake in fakes}, priority=False
    )


def _limited(settings: dict[str, object]) -> dict[str, object]:
    """The same with OpenCode's own limits for silence."""
    limit = SILENCE_SECONDS * 1000
    providers = settings["provider"]
    assert isinstance(providers, dict)
    for one in providers.values():
        one["options"] |= {"headerTimeout": limit, "chunkTimeout": limit}
    return settings


def _through(url: str, model: str, headers: Mapping[str, str]) -> Setup:
    """OpenCode's configuration with a proxy as its only provider."""
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Proxy",
        # Not headerTimeout: a proxy that tries again before it answers needs more time than a single provider.
        "options": {"baseURL": url, "apiKey": KEY, "headers": dict(headers), "chunkTimeout": SILENCE_SECONDS * 1000},
        "models": {model: {"name": model, "tool_call": True, "limit": {"context": 200_000, "output": 64_000}}},
    }
    return Setup(settings={**harmless(), "provider": {"proxy": provider}}, model=f"proxy/{model}")


def _first(fakes: Sequence[FakeProvider]) -> str:
    return f"{fakes[0].provider.id}/{fakes[0].provider.model}"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def _proxy(command: Sequence[str | Path], place: Path, alive: str, own: Mapping[str, str]) -> Iterator[None]:
    """Run a proxy until the block ends; ``alive`` answers once it is ready. Its log is in ``place``."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(place), **ENVIRONMENT, **own}
    with (place / "proxy.log").open("w") as log:
        running = subprocess.Popen(command, cwd=place, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            opener, deadline = build_opener(ProxyHandler({})), time.monotonic() + START_SECONDS
            while True:
                with suppress(OSError), opener.open(alive, timeout=5):
                    break
                if running.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} does not start: {(place / 'proxy.log').read_text()[-2000:]}")
                time.sleep(0.2)
            yield
        finally:
            running.terminate()
            running.wait()
