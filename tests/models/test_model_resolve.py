"""What a catalogue tells but a single id cannot: which snapshots, sizes and previews there are."""

from __future__ import annotations

import pytest

from opencode_patcher.models.explain import reason
from opencode_patcher.models.resolve import Offer, resolve
from tests.models.model_samples import offers


def same(*names: str, beside: tuple[str, ...] = (), released: str = "") -> bool:
    """Whether all of ``names`` get one key in a catalogue of these and ``beside``."""
    found = resolve(offers(*names, released=released), offers(*beside, released=released))
    return len({identity.key for identity in found}) == 1


def test_a_date_is_dropped_while_it_is_the_only_one() -> None:
    assert same("a/claude-opus-4-5", "b/claude-opus-4-5-20251101", "c/claude-opus-4-5@20251101")
    assert not same("a/claude-3-5-sonnet-20240620", "b/claude-3-5-sonnet-20241022")


def test_an_undated_name_is_the_newest_snapshot() -> None:
    older = ("b/claude-3-5-sonnet-20240620",)
    assert same("a/claude-3.5-sonnet", "c/claude-3-5-sonnet-20241022", beside=older)
    assert not same("a/claude-3.5-sonnet", "c/claude-3-5-sonnet-20240620", beside=("b/claude-3-5-sonnet-20241022",))


def test_the_catalogue_has_snapshots_that_no_provider_of_the_users_has() -> None:
    mine = ("a/claude-3.5-sonnet", "b/claude-3-5-sonnet-20240620")
    assert same(*mine)
    assert not same(*mine, beside=("elsewhere/claude-3-5-sonnet-20241022",))


def test_undated_open_weights_are_the_first_release() -> None:
    assert not same("a/deepseek-r1", "b/deepseek-r1-0528", released="2025-01-20")
    first = [Offer(provider_id=p, model_id="moonshotai/kimi-k2", release_date="2025-07-11") for p in "abc"]
    dated = [
        Offer(provider_id="d", model_id="kimi-k2-0711-preview"),
        Offer(provider_id="e", model_id="kimi-k2-0905"),
    ]
    keys = [identity.key for identity in resolve([*first, *dated])]
    assert len(set(keys[:4])) == 1
    assert keys[4] != keys[3]


def test_an_undated_offer_that_came_out_with_a_later_snapshot_joins_neither() -> None:
    known = [
        Offer(provider_id="a", model_id="deepseek-r1", release_date="2025-01-20"),
        Offer(provider_id="b", model_id="deepseek-r1", release_date="2025-01-20"),
        Offer(provider_id="c", model_id="deepseek-r1-0528", release_date="2025-05-28"),
        Offer(provider_id="d", model_id="deepseek-ai/DeepSeek-R1", release_date="2025-05-28"),
    ]
    first, second, later, contested = (identity.key for identity in resolve(known))
    assert first == second
    assert len({first, later, contested}) == 3


def test_rolling_names_are_only_joined_by_their_release() -> None:
    known = [
        Offer(provider_id="a", model_id="deepseek-chat", release_date="2024-12-26"),
        Offer(provider_id="b", model_id="deepseek/deepseek-chat", release_date="2025-12-01"),
        Offer(provider_id="c", model_id="deepseek-chat", release_date="2025-12-01"),
        Offer(provider_id="d", model_id="deepseek-chat"),
        Offer(provider_id="e", model_id="deepseek-chat"),
    ]
    keys = [identity.key for identity in resolve(known)]
    assert keys[1] == keys[2]
    assert len(set(keys)) == 4


@pytest.mark.parametrize("name", ["gpt-4o", "qwen-plus", "qwen3-max"])
def test_names_that_hosts_pin_differently_stay_separate_from_snapshots(name: str) -> None:
    assert not same(f"a/{name}", f"b/{name}-2025-01-01")
    assert same(f"a/{name}", f"b/{name.upper()}")


def test_a_size_may_be_left_out_while_there_is_one() -> None:
    assert same("a/llama-4-scout", "b/llama-4-scout-17b-16e-instruct", "c/meta.llama4-scout-17b-instruct-v1:0")
    assert not same("a/gemma-3", "b/gemma-3-4b-it", beside=("c/gemma-3-27b-it",))
    assert not same("a/deepseek-r1", "b/deepseek-r1:70b")
    assert not same("a/gemini-1.5-flash", "b/gemini-1.5-flash-8b")


def test_a_context_window_is_a_variant_of_a_model_that_is_offered_without_it() -> None:
    known = resolve(offers("a/qwen-2.5-72b-instruct", "b/Qwen/Qwen2.5-72B-Instruct-128K"))
    assert known[0].key == known[1].key
    assert known[1].variant.context == "128k"
    assert not same("a/phi-3-mini-4k-instruct", "b/phi-3-mini-128k-instruct")


def test_a_version_and_a_month_are_one_release() -> None:
    assert same("a/mistral-small-2712", "b/mistral-small-9.1", "c/mistral-small-9.1-24b-instruct-2712")
    assert not same("a/mistral-small-2712", "b/mistral-small-9.1")


def test_a_preview_is_the_model_while_the_vendor_lists_nothing_else() -> None:
    listed = ("google/gemini-9-pro-preview",)
    assert same("a/gemini-9-pro", "b/gemini-9-pro-preview", beside=listed)
    assert not same("a/gemini-9-pro", "b/gemini-9-pro-preview", beside=(*listed, "google/gemini-9-pro"))
    assert not same("a/gemini-9-pro", "b/gemini-9-pro-preview")


def test_hybrids_and_their_modes_stay_apart() -> None:
    assert not same("a/qwen9-235b-a22b", "b/qwen9-235b-a22b-instruct-2807")
    dated = ("c/qwen9-235b-a22b", "d/qwen9-235b-a22b-thinking-2807")
    assert same("a/qwen9-235b-a22b-thinking", "b/qwen9-235b-a22b-thinking-2807", beside=dated)


@pytest.mark.parametrize(
    "mode", ["thinking", "fast", "mini", "turbo", "codex", "highspeed", "base", "vl", "pro", "nano"]
)
@pytest.mark.parametrize("model", ["gpt-5", "claude-opus-4-5", "qwen3-32b", "kimi-k2.5", "unheard-of-1"])
def test_modes_and_tiers_stay_apart(model: str, mode: str) -> None:
    assert not same(f"a/{model}", f"b/{model}-{mode}")


def test_a_fast_tier_of_open_weights_is_its_hosts_own() -> None:
    assert not same("a/kimi-k2.5-fast", "b/kimi-k2.5-fast", beside=("c/kimi-k2.5",))
    assert same("a/claude-opus-4-6-fast", "b/claude-opus-4.6-fast", beside=("c/claude-opus-4-6",))


def test_product_names_stay_with_their_provider() -> None:
    assert not same("a/auto", "b/auto")
    assert not same("a/openrouter/auto", "b/auto")


def test_vendors_that_are_not_in_the_table() -> None:
    assert same("a/new-lab/marvel-3", "b/newlab/marvel-3", "c/marvel-3", "d/newlab.marvel-3", "e/new-lab-marvel-3")
    assert same("a/newlab/marvel-3", "b/newlab-research/Marvel-3", "c/marvel-3")
    assert not same("a/newlab/marvel-3", "b/oldlab/marvel-3")


def test_a_host_behind_a_gateway() -> None:
    assert not same("gate/kitchen/qwen3-32b", "b/qwen3-32b")
    assert same("gate/kitchen/qwen3-32b", "b/qwen3-32b", beside=("kitchen/other-1",))


def test_every_rule_that_applies_has_a_reason(catalogue_offers: tuple[Offer, ...]) -> None:
    steps = {step for identity in resolve(catalogue_offers) for step in identity.steps}
    assert len({step.rule for step in steps}) > 35
    assert not [step for step in steps if not reason(step)]


def test_twenty_thousand_models() -> None:
    many = offers(*(f"p{index % 130}/lab{index % 77}/model-{index % 9999}-{index % 13}b" for index in range(20_000)))
    assert len(resolve(many)) == 20_000
