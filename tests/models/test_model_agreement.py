"""Python and the TypeScript inside OpenCode answer alike: on the whole catalogue, and on odd names."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opencode_patcher.models.chain import Chain, How, Item
from opencode_patcher.models.grouping import VARIANTS, Options, fits, group
from opencode_patcher.models.nearest import nearest
from opencode_patcher.models.options import check
from opencode_patcher.models.policies import Require
from opencode_patcher.models.resolve import Offer, resolve
from opencode_patcher.models.rules import load
from tests.models.model_samples import group_to_typescript, identity_to_typescript, options_to_typescript, to_typescript
from tests.models.model_typescript import TypeScript

asks_bun = settings(
    max_examples=max(100, settings().max_examples),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

RULES = load()
WORDS = sorted(
    {word for family in RULES.families for word in (family,)}
    | set(RULES.classes)
    | set(RULES.synonyms)
    | set(RULES.prefixes)
    | set(RULES.anywhere)
    | {
        "auto",
        "coder",
        "r1",
        "k2",
        "v3",
        "m2.5",
        "v",
        "4",
        "5",
        "4o",
        "41",
        "3.5",
        "70b",
        "8x7b",
        "a3b",
        "16e",
        "32k",
    }
    | {
        "2025",
        "08",
        "07",
        "20250807",
        "2507",
        "0528",
        "250715",
        "001",
        "june",
        "8192",
        "1024",
        "32000",
        "İ",
        "ß",
        "\u017f",
    }
)
PLACES = sorted(set(RULES.places) | set(RULES.organisations) | {"openpipe", "new-lab", "newlab", "@cf", "TheDrummer 2"})
SEPARATORS = ["-", "-", "-", ".", "_", ":", "@", " ", "/", ""]
# Any text, and halves of surrogate pairs, which JSON can carry.
anything = st.text(st.characters(codec=None), max_size=12)
providers = st.sampled_from(["anthropic", "openrouter", "alibaba", "google", "x-ai", "newlab", "Ünique"]) | anything
dates = st.sampled_from(["", "2025-08-07", "2025-08", "2024-06-20", "2025-07-01", "2025-25-11", "soon"]) | anything


@st.composite
def names(draw: st.DrawFn) -> str:
    """Ids made of the words that the rules know, in any order, with any punctuation."""
    words = draw(st.lists(st.sampled_from(WORDS) | st.from_regex(r"[a-z0-9.]{1,4}", fullmatch=True), max_size=7))
    text = "".join(word + draw(st.sampled_from(SEPARATORS)) for word in words)
    place = draw(st.sampled_from(["", "", *PLACES]))
    text = f"{place}/{text}" if place else text
    return text.upper() if draw(st.booleans()) else text


some_offers = st.lists(
    st.builds(Offer, provider_id=providers, model_id=names() | anything, name=names() | anything, release_date=dates),
    max_size=12,
)
real_names = [
    f"claude-3-5-sonnet{end}" for end in ("", "-20240620", "-20241022", "-latest", "@20241022", "-v2", "-0620")
]
real_names += [
    f"qwen3-235b-a22b{end}" for end in ("", "-2507", "-instruct-2507", "-thinking-2507", "-instruct", "-fp8")
]
real_names += [f"gpt-4o{end}" for end in ("", "-2024-08-06", "-aug", ":extended", "-mini", "-mini-2024-07-18")]
real_names += [f"deepseek-r1{end}" for end in ("", "-0528", ":671b", ":70b", "-fast", "-32k")]
real_names += [f"mistral-small{end}" for end in ("", "-latest", "-3.2", "-2506", "-3.2-24b-instruct-2506", "-24b")]
# Few names and many offers, so that the steps over a catalogue have something to do.
crowded = st.lists(
    st.builds(
        Offer,
        provider_id=providers,
        model_id=st.sampled_from(real_names),
        name=st.sampled_from(["", "Thinking", "DeepSeek R1 0528"]),
        release_date=dates,
    ),
    max_size=30,
)


def test_every_offer_of_the_catalogue_has_the_same_identity(
    typescript: TypeScript, catalogue_offers: tuple[Offer, ...]
) -> None:
    ours = [identity_to_typescript(identity) for identity in resolve(catalogue_offers)]
    theirs = typescript.ask("resolve", [to_typescript(offer) for offer in catalogue_offers])
    assert len(ours) > 4000
    assert theirs == ours


def test_a_users_providers_are_grouped_alike_beside_the_catalogue(
    typescript: TypeScript, catalogue_offers: tuple[Offer, ...]
) -> None:
    mine = [o for o in catalogue_offers if o.provider_id in ("anthropic", "openrouter", "amazon-bedrock", "nano-gpt")]
    options = Options(priority=("openrouter", "Anthropic"), variants=VARIANTS, regions=("eu",), exclude=("*/*:free",))
    ours = [group_to_typescript(found) for found in group(mine, options, catalogue_offers)]
    catalogue = [to_typescript(offer) for offer in catalogue_offers]
    given = options_to_typescript(options) | {"catalogue": catalogue}
    assert len(ours) > 50
    assert typescript.ask("group", [to_typescript(offer) for offer in mine], given) == ours


@asks_bun
@given(offers=some_offers | crowded, learnt=some_offers)
def test_any_offers_have_the_same_identity(typescript: TypeScript, offers: list[Offer], learnt: list[Offer]) -> None:
    ours = [identity_to_typescript(identity) for identity in resolve(offers, learnt)]
    given = [to_typescript(offer) for offer in offers]
    assert typescript.ask("resolve", given, [to_typescript(offer) for offer in learnt]) == ours


@st.composite
def settings_for(draw: st.DrawFn, offers: list[Offer]) -> Options:
    names = [f"{offer.provider_id}/{offer.model_id}" for offer in offers]
    groups = [f"combined/{found.id}" for found in group(offers, Options(min_providers=1))][:5]
    own = ["mine", "gpt-4o", "1"]
    known = st.sampled_from([*names, *groups, *(f"combined/{name}" for name in own), "nobody/nothing", "combined/none"])
    how = st.builds(
        How,
        variant=st.sampled_from([None, None, "high"]),
        options=st.sampled_from([None, None, {"temperature": 0}]),
        when=st.sampled_from([None, None, ("quota",), ()]),
    )
    chains = st.builds(
        Chain,
        items=st.lists(st.builds(Item, model=known, how=how), max_size=4).map(tuple),
        by_priority=st.booleans(),
    )
    return Options(
        priority=tuple(draw(st.lists(providers, max_size=3))),
        min_providers=draw(st.integers(1, 3)),
        combine_latest=draw(st.booleans()),
        exclude=tuple(draw(st.lists(st.sampled_from(["*/gpt-4o*", "open*", "*", "*/*-*:*", "a/b"]), max_size=1))),
        groups=draw(st.dictionaries(st.sampled_from(own), chains, max_size=3)),
        fallbacks=draw(st.dictionaries(st.sampled_from(["", "build"]), chains, max_size=1)),
        variants=tuple(draw(st.lists(st.sampled_from(VARIANTS)))),
        regions=tuple(draw(st.lists(st.sampled_from(["eu", "US", ""]), max_size=2))),
        require=Require(
            no_training=draw(st.booleans()),
            region=draw(st.sampled_from(["", "eu", "us"])),
            trust=tuple(draw(st.lists(st.sampled_from(["open*", "*", "*/gpt*", "a"]), max_size=1))),
        ),
    )


@asks_bun
@given(data=st.data())
def test_any_offers_are_grouped_alike(typescript: TypeScript, data: Any) -> None:
    offers = data.draw(crowded | some_offers)
    options = data.draw(settings_for(offers))
    theirs = typescript.ask("group", [to_typescript(offer) for offer in offers], options_to_typescript(options))
    assert theirs == [group_to_typescript(found) for found in group(offers, options)]
    warnings = typescript.ask("check", options_to_typescript(options), [to_typescript(offer) for offer in offers])
    assert sorted(warnings) == sorted(check(options, offers))


@asks_bun
@given(pattern=st.text("ab*é", max_size=8), text=st.text("abé", max_size=10))
def test_patterns_match_alike(typescript: TypeScript, pattern: str, text: str) -> None:
    assert typescript.ask("fits", pattern, text) == fits(pattern, text)


@asks_bun
@given(name=anything, known=st.lists(anything | st.text("abc-", max_size=5)))
def test_the_nearest_name_is_the_same(typescript: TypeScript, name: str, known: list[str]) -> None:
    assert typescript.ask("nearest", name, known) == nearest(name, known)


def test_a_huge_id_is_read_alike(typescript: TypeScript) -> None:
    offers = [
        Offer(provider_id="a", model_id=model_id, name=model_id)
        for model_id in (
            "x" * 300_000,
            "1a" * 100_000,
            "thinking-1024-" * 20_000,
            "-" * 200_000,
            "claude-4-" * 30_000,
        )
    ]
    theirs = typescript.ask("resolve", [to_typescript(offer) for offer in offers])
    assert theirs == [identity_to_typescript(identity) for identity in resolve(offers)]
