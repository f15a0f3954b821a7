"""What one id says. Each case is a way of writing, not a model."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_patcher.models.identity import Reading, read
from opencode_patcher.models.rules import PATH, load
from opencode_patcher.models.scan import scan


def name(text: str, provider: str = "somebody") -> tuple[str, str]:
    found = read(provider, text)
    return found.vendor, "-".join(part for part in (found.name, found.version, found.size, found.mode) if part)


@pytest.mark.parametrize(
    ("text", "words", "stamp"),
    [
        ("claude-opus-4-5", ["claude", "opus", "4.5"], ""),
        ("claude-opus4-5", ["claude", "opus", "4.5"], ""),
        ("kimi-k2p5", ["kimi", "k2.5"], ""),
        ("kimi-k2-5", ["kimi", "k2.5"], ""),
        ("llama-3_3", ["llama", "3.3"], ""),
        ("gpt-52", ["gpt", "5.2"], ""),
        ("minimax-m25", ["minimax", "m2.5"], ""),
        ("gemini-2.0-flash", ["gemini", "2", "flash"], ""),
        ("grok-4-20", ["grok", "4.20"], ""),
        ("embed-v-4-0", ["embed", "v4"], ""),
        ("gemma3:27b", ["gemma", "3", "27b"], ""),
        ("mixtral-8x7b", ["mixtral", "8x7b"], ""),
        ("glm-4.5v", ["glm", "4.5v"], ""),
        ("a-20250929", ["a"], "20250929"),
        ("a@20250929", ["a"], "20250929"),
        ("a-2025-09-29", ["a"], "20250929"),
        ("a-250929", ["a"], "20250929"),
        ("a-2509", ["a"], "202509"),
        ("a-09-2025", ["a"], "202509"),
        ("a-0528", ["a"], "0528"),
        ("a-05-28", ["a"], "0528"),
        ("a-001", ["a"], "001"),
        ("a-june", ["a"], "06"),
        ("a-may", ["a", "may"], ""),
        ("a-8192", ["a", "8192"], ""),
        ("a-1776", ["a", "1776"], ""),
        ("a-20251301", ["a", "20251301"], ""),
        ("a-thinking:1024", ["a", "thinking", "1024"], ""),
        ("a-2507-0528", ["a", "0528"], "202507"),
        ("20250929", ["20250929"], ""),
        ("ünï-1", ["ünï", "1"], ""),
    ],
)
def test_words_and_stamps(text: str, words: list[str], stamp: str) -> None:
    found = scan(text, load().whole)
    assert (list(found.words), found.stamp) == (words, stamp)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anthropic/claude-4.5-sonnet", ("anthropic", "claude-sonnet-4-5")),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("anthropic", "claude-sonnet-4-5")),
        ("anthropic--claude-4.5-sonnet", ("anthropic", "claude-sonnet-4-5")),
        ("duo-chat-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("gateway-of-nobody/claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("claude-opus-4-6-fast", ("anthropic", "claude-opus-4-6-fast")),
        ("claude-opus-4-1-thinking:32000", ("anthropic", "claude-opus-4-1-thinking-32k")),
        ("claude-opus-4-1-thinking:32768", ("anthropic", "claude-opus-4-1-thinking-32k")),
        ("gemini-flash-1.5", ("google", "gemini-1.5-flash")),
        ("accounts/fireworks/models/glm-5p1", ("zai", "glm-5.1")),
        ("accounts/fireworks/models/llama-v3p1-8b-instruct", ("meta", "llama-3.1-8b")),
        ("workers-ai/@cf/meta/llama-3.1-8b-instruct-awq", ("meta", "llama-3.1-8b")),
        ("zai-org-glm-5-1", ("zai", "glm-5.1")),
        ("deepseek.v3.2", ("deepseek", "deepseek-v3.2")),
        ("deepseek-3.2", ("deepseek", "deepseek-v3.2")),
        ("deepseek/deepseek-chat-v3.1", ("deepseek", "deepseek-v3.1")),
        ("deepseek/deepseek-chat", ("deepseek", "deepseek-chat")),
        ("gpt-3.5-turbo-instruct", ("openai", "gpt-3.5-turbo-instruct")),
        ("gpt-35-turbo", ("openai", "gpt-3.5-turbo")),
        ("qwen3-coder-30b-a3b-instruct", ("alibaba", "qwen3-coder-30b")),
        ("qwen-qwq-32b", ("alibaba", "qwq-32b")),
        ("OpenPipe/Qwen3-14B-Instruct", ("openpipe", "qwen3-14b")),
        ("hf:nvidia/Kimi-K2.5-NVFP4", ("moonshot", "kimi-k2.5")),
        ("nvidia/Llama-3.1-Nemotron-Ultra-253B", ("nvidia", "nemotron-llama3.1-ultra-253b")),
        ("nousresearch/hermes-3-llama-3.1-405b", ("nous", "hermes-3-llama3.1-405b")),
        ("~anthropic/claude-opus-latest", ("anthropic", "claude-opus-latest")),
        ("claude-3-5-haiku-latest", ("anthropic", "claude-haiku-3-5")),
        ("PrimeIntellect/INTELLECT-3", ("primeintellect", "intellect-3")),
        ("unheard-of/model-1", ("unheardof", "model-1")),
    ],
)
def test_one_spelling(text: str, expected: tuple[str, str]) -> None:
    assert name(text) == expected


def test_the_providers_own_name_in_front_is_dropped() -> None:
    assert name("umami-glm-5.1", "umami-plan") == ("zai", "glm-5.1")
    assert name("umami-glm-5.1", "another") == ("", "umami-glm5.1")


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("glm-4.5-air:free", "free", True),
        ("GLM-5-FP8", "quantisation", "fp8"),
        ("Qwen3_5-9B-Q4_K_M", "quantisation", "q4"),
        ("llama-2-7b-chat-fp16", "quantisation", ""),
        ("TEE/glm-5", "confidential", True),
        ("GLM-5-TEE", "confidential", True),
        ("eu.anthropic.claude-opus-4-7", "region", "eu"),
        ("gpt-oss-120b-maas", "host", "maas"),
        ("cerebras/gpt-oss-120b-cs", "host", "cs"),
        ("gpt-oss-120b-cs", "host", ""),
    ],
)
def test_terms(text: str, field: str, value: object) -> None:
    assert getattr(read("somebody", text).variant, field) == value


def test_a_display_name_adds_what_the_id_leaves_out() -> None:
    found = read("bedrock", "qwen.qwen3-vl-235b-a22b", "Qwen3-VL-235B-A22B-Instruct")
    assert found.instruct
    assert read("vercel", "deepseek/deepseek-v3", "DeepSeek V3 0324").stamp == "0324"


def test_a_display_name_that_contradicts_the_id_is_ignored() -> None:
    assert name("databricks-claude-sonnet-4") == ("anthropic", "claude-sonnet-4")
    found = read("databricks", "databricks-claude-sonnet-4", "Claude Sonnet 4.5 Thinking")
    assert (found.name, found.mode) == ("claude-sonnet-4", "")


def test_an_id_without_words_is_its_own_name() -> None:
    assert [read("p", text).name for text in ("", "-", "/", ":free")] == ["", "-", "/", ":free"]


def rows() -> list[tuple[str, dict[str, Any]]]:
    table = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return [
        (f"{section}-{index}", row)
        for section, entries in table.items()
        for index, row in enumerate(entries if isinstance(entries, list) else [entries])
    ]


def test_every_rule_has_a_reason_and_an_example() -> None:
    assert len(rows()) > 100
    assert [label for label, row in rows() if not row["reason"].endswith((".", "!")) or not row["example"]] == []


@given(st.text(st.characters(codec=None), max_size=60), st.text(st.characters(codec=None), max_size=20))
def test_any_text_can_be_read(text: str, provider: str) -> None:
    assert isinstance(read(provider, text, text), Reading)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", ["a", "1a", "a-", "1-", "thinking-1024-", "claude-4-", "llama-3-", "a/", "us.", "é1"])
def test_a_huge_id_is_read_quickly(part: str) -> None:
    """A reader whose time grows with the square of the length would need many minutes for this."""
    assert read("p", part * 20_000, part * 20_000).name
