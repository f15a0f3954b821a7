"""The sixteen scenarios of the public benchmark failoverbench (methodology 0.1), re-created for an agent.

Source: github.com/failoverbench/failoverbench, scenarios/catalogue.yaml (MIT). Each has the fault and the conduct
checks of its original. As there, a complete answer counts whoever gives it, so a client without a second provider
passes where a retry is enough. Differences: long times are shortened in proportion (20 s to the first token become 8,
an outage of 60 s becomes 8; the return within 30 s is unchanged), and the originals' time-outs are configured if the
binary supports them. Checks that need another provider (``requires: fallback``) are skipped for a binary without one.
Advisory checks that contradict a cooldown (S01, S03: ask the same provider again) are left out.
"""

from __future__ import annotations

from dataclasses import replace

from opencode_patcher.drill.fakes.faults import At, Broken, Fault, Garbled, How, HttpError, Slow, Unterminated
from opencode_patcher.drill.fakes.plan import Reply, Text, Turn
from opencode_patcher.drill.fakes.provider import Outage, ProviderSpec
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, OVERLOADED, RATE_LIMITED
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario, Through

SIXTY = Turn(
    prompt="Explain in exactly sixty words why a gateway earns trust only when the provider behind it misbehaves.",
    replies=(Reply(content=(Text(text=" ".join(f"word{number}" for number in range(1, 61))),)),),
)
"""Sixty words, so that a break after a number of words is where it is in the original."""

TIMEOUTS = {"first_token_timeout": 3_000, "stall_timeout": 3_000}
SLOW_SECONDS = 8.0
OUTAGE_SECONDS = 8.0
BOUNDED = 6
"""The original's limit on requests to a provider that keeps failing."""

TOO_LONG = HttpError(
    status=400, message="This model's maximum context length is 200000 tokens.", code="context_length_exceeded"
)
FILTERED = HttpError(
    status=400, message="The request was rejected by the content filter.", code="content_policy_violation"
)


def _single(
    name: str,
    title: str,
    *faults: Fault,
    then: Fault | None = None,
    at_most: int = BOUNDED,
    seconds: float | None = None,
    providers: tuple[ProviderSpec, ...] = (BETA,),
    expected: Expectation | None = None,
) -> Scenario:
    """One question; ``alpha`` has the faults, the others are healthy."""
    whole = Expectation(served_by=None, at_most={"alpha": at_most}, seconds=seconds)
    return Scenario(
        name=name,
        title=title,
        providers=(replace(ALPHA, faults=faults, then=then), *providers),
        turns=(SIXTY,),
        expected=expected or whole,
        combined=TIMEOUTS,
    )


def _flapping(count: int, interval: float) -> tuple[Turn, ...]:
    return tuple(
        replace(SIXTY, prompt=f"Question {number}. {SIXTY.prompt}", pause=interval if number else 0.0)
        for number in range(count)
    )


BENCH_SCENARIOS = (
    _single("s01", "S01 429 with Retry-After, once", replace(RATE_LIMITED, headers={"retry-after": "2"}), at_most=2),
    _single("s02", "S02 429 without Retry-After, persistent", then=RATE_LIMITED),
    _single("s03", "S03 500 once, then healthy", HttpError(status=500, message="Internal server error")),
    _single("s04", "S04 503, persistent", then=OVERLOADED),
    _single("s05", "S05 reset before the headers, once", Broken(at=At.CONNECTION, how=How.RESET)),
    _single("s06", "S06 no response at all", then=Broken(at=At.CONNECTION, how=How.STALL), at_most=2),
    _single("s07", "S07 slow first token", Slow(seconds=SLOW_SECONDS), seconds=SLOW_SECONDS * 3 / 4),
    _single("s08", "S08 stream cut after 40 of 60 tokens", Broken(at=41, how=How.CLOSE)),
    _single("s09", "S09 stream stalls after 20 tokens", Broken(at=21, how=How.STALL), seconds=15),
    _single("s10", "S10 malformed chunk in the stream", Garbled(at=10)),
    _single("s11", "S11 stream without [DONE]", Unterminated(), seconds=8),
    _single(
        "s12",
        "S12 context length exceeded",
        then=TOO_LONG,
        at_most=1,
        providers=(replace(BETA, context=1_000_000),),
    ),
    _single(
        "s13",
        "S13 content filter: the reason is passed on",
        then=FILTERED,
        expected=Expectation(served_by=(), requests={"alpha": 1}, error=("content filter",)),
    ),
    # OpenCode's requests end with the user or a tool; a fake provider refuses a prefill in every scenario.
    _single("s14", "S14 stream cut, and the next refuses prefill", then=Broken(at=41, how=How.CLOSE)),
    Scenario(
        name="s15",
        title="S15 down for a while, then healthy",
        providers=(replace(ALPHA, outage=Outage(seconds=OUTAGE_SECONDS, fault=OVERLOADED)), BETA),
        turns=_flapping(20, 2.0),
        expected=Expectation(served_by=None, returns="alpha"),
        # The original's requests are independent; here they share a session, so its prompt cache keeps them at one
        # provider.
        combined={"stickiness": 0},
        through=Through.SERVE,
    ),
    _single(
        "s16",
        "S16 whose price is paid",
        then=OVERLOADED,
        expected=Expectation(served_by=("beta",), at_most={"alpha": BOUNDED}),
    ),
)
