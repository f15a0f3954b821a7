"""What is combined for a user, under which id, and who serves first."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opencode_patcher.models.chain import How, Item, circles
from opencode_patcher.models.grouping import DEFAULT_VARIANTS, VARIANTS, Group, Options, fits, group
from opencode_patcher.models.policies import Require
from opencode_patcher.models.resolve import Offer
from tests.models.model_samples import chain, offers


def members(found: Group) -> list[str]:
    return [f"{member.provider_id}/{member.model_id}" for member in found.members]


def ids(found: tuple[Group, ...]) -> list[str]:
    return [item.id for item in found]


def test_a_model_of_two_providers_is_combined() -> None:
    (found,) = group(offers("a/claude-opus-4-7", "b/claude-opus-4.7", "b/other-1"), Options())
    assert (found.id, found.key) == ("claude-opus-4-7", "anthropic/claude-opus-4-7")
    assert members(found) == ["a/claude-opus-4-7", "b/claude-opus-4.7"]


def test_two_names_at_one_provider_are_not_a_group() -> None:
    mine = offers("a/claude-opus-4-5", "a/claude-opus-4-5-20251101")
    assert group(mine, Options()) == ()
    assert len(group(mine, Options(min_providers=1))) == 1
    assert group(offers("a/gpt-5", "b/gpt-5"), Options(min_providers=3)) == ()


def test_the_priority_comes_first_and_the_rest_in_the_order_of_their_ids() -> None:
    mine = offers("delta/gpt-5", "Beta/gpt-5", "alpha/gpt-5", "z.ai/gpt-5", "gamma/gpt-5")
    (found,) = group(mine, Options(priority=("gamma", "zai", "nobody")))
    assert members(found) == ["gamma/gpt-5", "z.ai/gpt-5", "Beta/gpt-5", "alpha/gpt-5", "delta/gpt-5"]


def test_free_offers_come_after_paid_ones() -> None:
    mine = offers("a/glm-5:free", "a/glm-5", "b/glm-5", "c/glm-5-free", "d/glm-5")
    (found,) = group(mine, Options(variants=("free",)))
    assert members(found) == ["a/glm-5", "b/glm-5", "d/glm-5", "a/glm-5:free", "c/glm-5-free"]
    (found,) = group(mine, Options(priority=("c", "a")))
    assert members(found) == ["c/glm-5-free", "a/glm-5", "a/glm-5:free", "b/glm-5", "d/glm-5"]


def test_free_offers_are_members_only_if_they_or_their_provider_were_named() -> None:
    mine = offers("a/glm-5:free", "a/glm-5", "b/glm-5", "c/glm-5-free", "d/kimi-k2-free", "e/kimi-k2")
    (paid,) = (found for found in group(mine, Options()) if found.id == "glm-5")
    assert members(paid) == ["a/glm-5", "b/glm-5"]
    assert "kimi-k2" not in ids(group(mine, Options()))
    (found,) = (found for found in group(mine, Options(priority=("c",))) if found.id == "glm-5")
    assert members(found) == ["c/glm-5-free", "a/glm-5", "b/glm-5"]
    (own,) = (found for found in group(mine, Options(groups={"mine": chain("c/glm-5-free")})) if found.id == "mine")
    assert members(own) == ["c/glm-5-free"]
    (found,) = group(mine, Options(priority=("a", "c"), variants=("region",), exclude=("*/kimi*", "*/*free")))
    assert members(found) == ["a/glm-5", "b/glm-5"]


def test_within_a_provider_plain_and_dated_come_first_and_the_preferred_region_before_others() -> None:
    mine = offers(
        "bedrock/us.anthropic.claude-opus-4-5-20251101-v1:0",
        "bedrock/eu.anthropic.claude-opus-4-5-20251101-v1:0",
        "bedrock/global.anthropic.claude-opus-4-5-20251101-v1:0",
        "bedrock/anthropic.claude-opus-4-5-20251101-v1:0",
        "anthropic/claude-opus-4-5",
        "anthropic/claude-opus-4-5-20251101",
    )
    (found,) = group(mine, Options())
    assert members(found)[:2] == ["anthropic/claude-opus-4-5-20251101", "anthropic/claude-opus-4-5"]
    assert [member.variant.region for member in found.members[2:]] == ["", "global", "eu", "us"]
    (found,) = group(mine, Options(regions=("EU",)))
    assert [member.variant.region for member in found.members[2:]] == ["eu", "", "global", "us"]


def test_quantised_weights_are_a_separate_group_unless_requested() -> None:
    mine = offers("a/glm-5", "b/glm-5", "c/GLM-5-FP8", "d/zai-org/GLM-5-FP8", "e/GLM-5-NVFP4")
    found = group(mine, Options())
    assert ids(found) == ["glm-5", "glm-5-fp8"]
    assert members(found[1]) == ["c/GLM-5-FP8", "d/zai-org/GLM-5-FP8"]
    (all_of_them,) = group(mine, Options(variants=(*DEFAULT_VARIANTS, "quantised")))
    assert len(all_of_them.members) == 5


def test_variants_that_may_not_be_mixed_are_left_out() -> None:
    mine = offers("a/glm-5", "b/glm-5", "b/glm-5:free", "c/TEE/glm-5")
    (found,) = group(mine, Options(variants=()))
    assert members(found) == ["a/glm-5", "b/glm-5"]


def test_combine_latest_can_be_turned_off() -> None:
    mine = offers("a/claude-opus-4-5", "b/claude-opus-4.5", "a/claude-opus-4-5-20251101", "c/claude-opus-4-5-20251101")
    assert len(group(mine, Options())) == 1
    undated, dated = group(mine, Options(combine_latest=False))
    assert members(undated) == ["a/claude-opus-4-5", "b/claude-opus-4.5"]
    assert members(dated) == ["a/claude-opus-4-5-20251101", "c/claude-opus-4-5-20251101"]


def test_exclude_leaves_out_by_pattern_but_still_learns() -> None:
    mine = offers("a/claude-3-5-sonnet", "b/claude-3-5-sonnet-20240620", "c/claude-3-5-sonnet-20241022")
    assert ids(group(mine, Options())) == ["claude-sonnet-3-5"]
    assert group(mine, Options(exclude=("C/*",))) == ()


def test_own_groups_are_asked_as_written() -> None:
    mine = offers("a/gpt-5", "b/gpt-5", "b/glm-5", "c/kimi-k2.5")
    listed = ("b/glm-5", "a/gpt-5", "c/kimi-k2.5", "x/gone")
    groups = {"quick": chain(*listed), "sorted": chain(*listed, by_priority=True), "none": chain("x/y")}
    found = {one.id: one for one in group(mine, Options(priority=("c",), groups=groups))}
    assert list(found) == ["gpt-5", "quick", "sorted"]
    assert members(found["quick"]) == ["b/glm-5", "a/gpt-5", "c/kimi-k2.5"]
    assert members(found["sorted"]) == ["c/kimi-k2.5", "b/glm-5", "a/gpt-5"]
    assert found["quick"].name == "quick"
    assert [member.identity for member in found["quick"].members] == ["zai/glm-5", "openai/gpt-5", "moonshot/kimi-k2.5"]


def test_a_group_in_a_chain_stands_for_its_members_and_the_priority_orders_those() -> None:
    mine = offers("a/gpt-5", "b/gpt-5", "b/glm-5", "c/kimi-k2.5", "z/gpt-5")
    groups = {
        "inner": chain("c/kimi-k2.5", "combined/gpt-5"),
        "outer": chain("b/glm-5", "combined/inner", "a/gpt-5", "combined/glm-5"),
        "alone": chain("combined/kimi-k2.5"),
    }
    found = {one.id: one for one in group(mine, Options(priority=("z",), groups=groups))}
    assert members(found["outer"]) == ["b/glm-5", "c/kimi-k2.5", "z/gpt-5", "a/gpt-5", "b/gpt-5"]
    assert members(found["alone"]) == ["c/kimi-k2.5"]


def test_what_is_said_of_a_group_in_a_chain_holds_for_each_of_its_members() -> None:
    mine = offers("a/gpt-5", "b/gpt-5", "b/glm-5")
    groups = {
        "inner": chain(Item(model="a/gpt-5", how=How(variant="low", when=("quota",))), "b/gpt-5"),
        "outer": chain("b/glm-5", Item(model="combined/inner", how=How(variant="high"))),
    }
    _, outer = (one for one in group(mine, Options(groups=groups)) if one.id in groups)
    assert [member.how for member in outer.members] == [
        How(),
        How(variant="high", when=("quota",)),
        How(variant="high"),
    ]


def test_a_group_that_contains_itself_is_left_out() -> None:
    mine = offers("a/gpt-5", "b/gpt-5")
    groups = {
        "one": chain("a/gpt-5", "combined/two"),
        "two": chain("combined/one"),
        "self": chain("combined/self"),
        "user": chain("combined/one", "b/gpt-5"),
    }
    found = {one.id: one for one in group(mine, Options(groups=groups))}
    assert list(found) == ["gpt-5", "user"]
    assert members(found["user"]) == ["b/gpt-5"]
    assert circles(groups) == (("one", "two"), ("self",), ("two", "one"))


def test_an_own_group_keeps_its_id_and_the_other_gets_its_vendors_name() -> None:
    mine = offers("a/gpt-5", "b/gpt-5", "b/glm-5")
    found = group(mine, Options(groups={"gpt-5": chain("b/glm-5")}))
    assert ids(found) == ["gpt-5", "openai-gpt-5"]


def test_one_name_of_two_vendors() -> None:
    mine = offers("a/lab/marvel-1", "b/lab/marvel-1", "a/hut/marvel-1", "b/hut/marvel-1")
    assert ids(group(mine, Options())) == ["hut-marvel-1", "lab-marvel-1"]


def test_the_newest_snapshot_has_the_short_id() -> None:
    mine = offers(*(f"{p}/claude-3-5-sonnet{end}" for p in "ab" for end in ("", "-20240620", "-20241022")))
    found = group(mine, Options())
    assert ids(found) == ["claude-sonnet-3-5", "claude-sonnet-3-5-20240620"]
    assert "a/claude-3-5-sonnet-20241022" in members(found[0])


def test_only_providers_that_promise_what_is_required_are_members() -> None:
    mine = offers(
        "amazon-bedrock/eu.anthropic.claude-opus-4-5",
        "amazon-bedrock/us.anthropic.claude-opus-4-5",
        "deepinfra/anthropic/claude-opus-4-5",
        "Google-Vertex-Anthropic/claude-opus-4-5",
        "unheard-of/claude-opus-4-5",
        "groq/claude-opus-4-5:free",
    )

    def asked(**require: Any) -> list[str]:
        options = Options(require=Require(**require), variants=VARIANTS, min_providers=1)
        return [member for found in group(mine, options) for member in members(found)]

    assert len(asked()) == len(mine)
    assert len(asked(trust=("nobody",))) == len(mine)
    assert asked(no_training=True) == [
        "Google-Vertex-Anthropic/claude-opus-4-5",
        "amazon-bedrock/eu.anthropic.claude-opus-4-5",
        "amazon-bedrock/us.anthropic.claude-opus-4-5",
    ]
    assert asked(no_training=True, region="eu") == ["amazon-bedrock/eu.anthropic.claude-opus-4-5"]
    assert asked(no_training=True, region="eu", trust=("Unheard-*", "deepinfra/*/claude*")) == [
        "amazon-bedrock/eu.anthropic.claude-opus-4-5",
        "deepinfra/anthropic/claude-opus-4-5",
        "unheard-of/claude-opus-4-5",
    ]
    (own,) = group(
        mine,
        Options(
            require=Require(region="us"),
            groups={"mine": chain(f"{mine[1].provider_id}/{mine[1].model_id}", "unheard-of/claude-opus-4-5")},
        ),
    )
    assert members(own) == ["amazon-bedrock/us.anthropic.claude-opus-4-5"]


def test_the_name_is_that_of_the_first_member() -> None:
    mine = [
        Offer(provider_id="a", model_id="gpt-5", name="gpt 5 at a"),
        Offer(provider_id="b", model_id="gpt-5", name="GPT-5"),
        Offer(provider_id="c", model_id="gpt-5"),
    ]
    assert group(mine, Options(priority=("b",)))[0].name == "GPT-5"
    assert group(mine, Options(priority=("c",)))[0].name == "gpt-5"


def test_the_result_does_not_depend_on_the_order_of_the_offers(catalogue_offers: tuple[Offer, ...]) -> None:
    mine = [offer for offer in catalogue_offers if offer.provider_id in ("openrouter", "vercel", "nano-gpt", "poe")]
    expected = group(mine, Options(priority=("vercel",)))
    random.Random(1).shuffle(mine)
    assert group(mine, Options(priority=("vercel",))) == expected


def test_every_id_of_the_catalogue_can_be_typed(catalogue_offers: tuple[Offer, ...]) -> None:
    found = ids(group(catalogue_offers, Options(min_providers=1)))
    assert len(set(found)) == len(found)
    assert not [name for name in found if not name.isascii() or set(name) & set(" /:@\"'") or len(name) > 80]


def test_patterns() -> None:
    assert fits("a/*", "a/b/c")
    assert fits("*/gpt-*-mini", "x/gpt-5-mini")
    assert fits("a", "a")
    assert not fits("a", "ab")
    assert not fits("ab*ba", "aba")
    assert not fits("*x*y", "y x")


@given(st.lists(st.sampled_from(["a", "b", "*"])).map("".join), st.text("ab", max_size=12))
def test_patterns_work_as_in_a_shell(pattern: str, text: str) -> None:
    from fnmatch import fnmatchcase

    assert fits(pattern, text) == fnmatchcase(text, pattern)
