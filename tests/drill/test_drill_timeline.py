from __future__ import annotations

from dataclasses import replace

from opencode_patcher.drill.scenarios.quick import ALPHA, BETA
from opencode_patcher.drill.verdict.timeline import text_lines, timeline
from tests.drill.drill_samples import GREETED, exchange, greeted, tooled


def test_a_failover_is_shown_as_a_timeline() -> None:
    assert text_lines(timeline(greeted())) == (
        "     0 ms  alpha     is asked",
        "    10 ms  alpha     answers 503: Overloaded",
        "    50 ms  beta      is asked, 40 ms after the failure",
        "    51 ms  beta      streams text “Hello from beta, this is the whole answer and nothing was l…”",
        "    51 ms  beta      completes its answer",
        "    70 ms  opencode  shows “Hello from beta, this is the whole answer and nothing was l…”",
    )


def test_tools_and_the_break_are_shown() -> None:
    words = [(line.who, line.text) for line in timeline(tooled())]
    assert ("alpha", "calls the tool bash") in words
    assert ("opencode", "has run the tool bash: completed") in words
    assert ("alpha", "connection reset after the content, before the finish") in words
    assert ("alpha", "completes its answer") not in words
    times = [line.at_ms for line in timeline(tooled()) if line.at_ms is not None]
    assert times == sorted(times)
    assert len(times) == len(timeline(tooled()))


def test_asking_the_same_provider_again_is_shown() -> None:
    alpha = greeted().exchanges[0]
    again = exchange("alpha", 12.01, 12.02, text="Hello")
    lines = [line.text for line in timeline(replace(greeted(), exchanges=(alpha, again)))]
    assert "is asked again, 2000 ms after the failure" in lines


def test_a_refused_connection_has_no_time() -> None:
    scenario = replace(GREETED, providers=(replace(ALPHA, listening=False), BETA))
    observation = replace(greeted(), scenario=scenario, exchanges=greeted().exchanges[1:])
    first = text_lines(timeline(observation))[0]
    assert first.strip() == "alpha     refuses connections"


def test_without_events_there_are_no_lines() -> None:
    assert timeline(replace(greeted(), exchanges=(), events=())) == ()
