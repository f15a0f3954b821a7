from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.exchange import Exchange
from opencode_patcher.drill.fakes.faults import Empty
from opencode_patcher.drill.fakes.usage import USAGE
from opencode_patcher.drill.fakes.wire import as_object
from opencode_patcher.drill.scenarios.quick import BETA
from opencode_patcher.drill.scenarios.scenario import Expectation
from opencode_patcher.drill.verdict.judge import judge
from opencode_patcher.drill.verdict.observation import Event, Observation, StoredMessage
from tests.drill.drill_samples import GREETED, HELLO, exchange, greeted, message, session, shown, text, tool, tooled


def test_a_good_failover_passes_and_is_timed() -> None:
    row = judge(greeted())
    assert row.failures == ()
    assert row.passed
    assert row.expected == row.seen == "served by beta"
    assert row.failover_ms == pytest.approx(40)


def test_a_tool_that_ran_once_before_the_cut_passes() -> None:
    row = judge(tooled())
    assert row.failures == ()
    assert row.expected == row.seen == "served by alpha, then beta; the tool ran once"
    assert row.failover_ms == pytest.approx(100)


def stored(observation: Observation, *messages: StoredMessage) -> Observation:
    return replace(observation, session=session(*messages))


FIRST, SECOND = (str(as_object(event.data["part"])["text"]) for event in tooled().of_kind("text"))
CALLED = message("alpha", text(FIRST), tool("call_append-alpha0"), cost=0.0)
SAID = message("beta", text(SECOND))


@pytest.mark.parametrize(
    ("observation", "complaint"),
    [
        (replace(greeted(), code=None), "had not ended after 30 s"),
        (replace(greeted(), code=1), "the exit code is 1"),
        (
            replace(greeted(), exchanges=(*greeted().exchanges, exchange("beta", 12, 12))),
            "beta got 2 requests instead of 1",
        ),
        (
            replace(
                greeted(),
                exchanges=(replace(greeted().exchanges[0], violations=("no key",)), greeted().exchanges[1]),
            ),
            "alpha refused a turn request: no key",
        ),
        (
            replace(greeted(), events=(shown(1, "Hello from al"), shown(2, HELLO))),
            "the text shown is 'Hello from al",
        ),
        (replace(greeted(), session=None), "no session was stored"),
        (replace(greeted(), session=replace(session(), title="New session")), "title is 'New session'"),
        (stored(greeted(), message("alpha", text(HELLO))), "stored under alpha instead of beta"),
        (stored(greeted(), message("beta", text("Hello from al"), text(HELLO))), "reads 'Hello from alHello"),
        (
            stored(greeted(), message("beta", text(HELLO), text("", closed=False))),
            "text part of beta is still open",
        ),
        (stored(greeted(), replace(message("beta", text(HELLO)), model="other")), "under the model other"),
        (stored(greeted(), replace(message("beta", text(HELLO)), error="Bad")), "has an error: Bad"),
        (stored(greeted(), replace(message("beta", text(HELLO)), completed=False)), "is not completed"),
        (
            stored(greeted(), replace(message("beta", text(HELLO)), finish="")),
            "of beta, is stored without a finish reason",
        ),
        (
            stored(greeted(), message("beta", text(HELLO), cost=0.0045)),
            "of beta cost $0.0045 instead of $0.0060",
        ),
        (
            stored(greeted(), message("beta"), message("beta", text(HELLO), cost=0)),
            "2 messages are stored instead of 1",
        ),
        (replace(tooled(), effects=2), "the tool ran 2 times instead of the tool ran once"),
        (
            stored(tooled(), replace(CALLED, parts=(text(FIRST),)), SAID),
            "calls are none instead of call_append",
        ),
        (
            stored(tooled(), replace(CALLED, parts=(*CALLED.parts, tool("call_append-beta0"))), SAID),
            "calls are call_append-alpha0, call_append-beta0",
        ),
        (
            stored(tooled(), replace(CALLED, parts=(text(FIRST), tool("call_append-alpha0", "error"))), SAID),
            "call_append-alpha0 is error",
        ),
        (
            stored(tooled(), replace(CALLED, parts=(text(FIRST), tool("call_append-alpha0", "running"))), SAID),
            "a tool part of alpha is still open",
        ),
    ],
)
def test_failures_are_reported(observation: Observation, complaint: str) -> None:
    row = judge(observation)
    assert not row.passed
    assert any(complaint in failure for failure in row.failures), row.failures


def test_the_server_may_be_left_open_but_not_the_text() -> None:
    anyone = replace(greeted(), scenario=replace(GREETED, expected=Expectation(served_by=None)))
    assert judge(anyone).passed
    assert judge(anyone).expected == "served by whoever can"
    assert not judge(stored(anyone, message("beta", text("Hello")))).passed


def with_expectation(**changes: Any) -> Observation:
    expected = replace(GREETED.expected, **changes)
    return replace(greeted(), scenario=replace(GREETED, expected=expected))


def error(text: str) -> Event:
    return Event(at=12, kind="error", data={"error": {"name": "Failure", "data": {"message": text}}})


def all_failed(*events: Event, code: int | None = 1) -> Observation:
    expected = Expectation(served_by=(), error=("alpha", "beta"))
    return replace(greeted(), scenario=replace(GREETED, expected=expected), events=events, session=session(), code=code)


def test_when_all_fail_the_error_names_them() -> None:
    assert judge(all_failed(error("Alpha: 503. Beta: 503."))).passed


@pytest.mark.parametrize(
    ("observation", "complaint"),
    [
        (all_failed(error("alpha: 503")), "the error does not name beta"),
        (all_failed(), "no error was shown"),
        (all_failed(error("alpha, beta"), code=0), "the exit code is 0"),
        (all_failed(code=None), "had not ended"),
    ],
)
def test_a_silent_or_vague_end_fails(observation: Observation, complaint: str) -> None:
    assert any(complaint in failure for failure in judge(observation).failures)


@pytest.mark.parametrize(
    ("observation", "complaint"),
    [
        (replace(all_failed(error("alpha, beta")), effects=1), "the tool ran once instead of the tool did not run"),
        (
            stored(all_failed(error("alpha, beta")), message("beta", text("Hel", closed=False))),
            "a text part of beta is still open",
        ),
        (
            replace(
                with_expectation(served_by=(), error=("alpha", "beta"), requests={"alpha": 1, "beta": 2}),
                events=(error("alpha, beta"),),
                code=1,
            ),
            "beta got 1 requests instead of 2",
        ),
    ],
)
def test_an_error_does_not_excuse_earlier_failures(observation: Observation, complaint: str) -> None:
    assert judge(observation).failures == (complaint,)


def test_the_behaviour_of_a_stock_binary_is_described() -> None:
    alpha = greeted().exchanges[0]
    again = exchange("alpha", 12.01, 12.02, text="Hello")
    seen = judge(
        replace(stored(greeted(), message("alpha", text("Hello", closed=False))), exchanges=(alpha, again))
    ).seen
    assert seen == ("served by alpha; asked the same provider again after 2.0 s; parts of the failed attempt left")
    waiting = replace(greeted(), exchanges=(alpha,), session=session(), events=(), code=None, limit=15)
    assert judge(waiting).seen == "still waiting after 15 s"
    twice = replace(tooled(), effects=2)
    assert judge(twice).seen.endswith("the tool ran 2 times")


def test_returning_after_a_wait_is_not_a_failover() -> None:
    alpha, beta = (
        greeted().exchanges[0],
        exchange("beta", 10.05, 10.06, status=503, fault=greeted().exchanges[0].fault),
    )
    back = exchange("alpha", 20.0, 20.1, text="Hello")
    row = judge(replace(greeted(), exchanges=(alpha, beta, back)))
    assert row.failover_ms == pytest.approx(40)


def test_a_long_error_is_shortened_to_one_line() -> None:
    seen = judge(all_failed(error("alpha\nbeta " + "x" * 400))).seen
    assert "\n" not in seen
    assert seen.endswith("…")
    assert len(seen) < 200


@pytest.mark.parametrize(
    ("observation", "complaint"),
    [
        (with_expectation(at_most={"alpha": 0}), "alpha got 1 requests instead of at most 0"),
        (with_expectation(returns="alpha"), "the last message is served by beta and not by alpha"),
        (with_expectation(seconds=0.05), "it took 0.1 s instead of at most 0.05 s"),
        (replace(greeted(), screen="Hello"), "the text shown is 'Hello'"),
        (
            replace(greeted(), others=(session(message("alpha", text("Hm", closed=False), cost=0)),)),
            "a text part of alpha is still open",
        ),
        (
            replace(greeted(), others=(session(message("alpha", text("Hm"))),)),
            "of alpha cost $0.0045 instead of $0.0000",
        ),
        (
            stored(greeted(), message("beta", text(HELLO)), replace(message("beta", cost=0), summary=True)),
            "the stored summaries are ['']",
        ),
    ],
)
def test_limits_screens_and_other_sessions_are_judged(observation: Observation, complaint: str) -> None:
    assert any(complaint in failure for failure in judge(observation).failures), judge(observation).failures


def test_the_time_is_only_limited_if_there_is_another_provider() -> None:
    stock = replace(with_expectation(seconds=0.05), subject=replace(greeted().subject, model=None))
    assert judge(stock).passed


def cancelled(*late: Exchange, closed: bool = True) -> Observation:
    seen = with_expectation(cancelled=True, served_by=None, requests={"beta": 1})
    half = message("beta", text("Hello", closed=closed), cost=0)
    return replace(stored(seen, half), exchanges=(*seen.exchanges, *late), cancelled=11.0)


def test_a_cancel_ends_the_turn() -> None:
    assert judge(cancelled()).passed
    assert "beta was asked after the user's cancel" in judge(cancelled(exchange("beta", 11.5, 12))).failures
    assert judge(cancelled(closed=False)).failures == ("a text part of beta is still open",)
    assert not judge(replace(cancelled(), cancelled=None)).passed


def test_a_title_made_after_the_cancel_is_not_part_of_the_turn() -> None:
    title = replace(exchange("beta", 11.5, 12), purpose=Purpose.TITLE)
    assert judge(cancelled(title)).passed


def test_a_cancel_only_counts_for_the_turn_that_the_scenario_cancels() -> None:
    early = replace(cancelled(), exchanges=greeted().exchanges[:1])
    assert judge(early).failures == ("beta got 0 requests instead of 1",)
    # A stock binary asks no other provider, and is not judged by it.
    assert judge(replace(early, subject=replace(early.subject, model=None))).passed


def step(cost: float) -> Event:
    return Event(at=10.07, kind="step_finish", data={"part": {"type": "step-finish", "cost": cost}})


def printed(*costs: float) -> Observation:
    seen = stored(greeted(), message("beta", text(HELLO), cost=0.006))
    assert seen.session
    seen = replace(seen, session=replace(seen.session, cost=0.006))
    return replace(seen, events=(*seen.events, *(step(cost) for cost in costs)))


def test_the_steps_that_run_prints_cost_what_the_session_says() -> None:
    assert judge(printed(0.002, 0.004)).passed
    assert judge(printed(0.006, 0.006)).failures == (
        "the session says that it cost $0.0060, the steps that were printed $0.0120",
    )
    assert not judge(printed()).passed
    stock = replace(printed(), subject=replace(greeted().subject, model=None))
    assert judge(stock).passed
    # An editor is told about messages, not about steps.
    assert "steps" not in str(judge(replace(printed(), screen=HELLO, updates=())).failures)


def test_the_costs_of_a_failed_answer_are_counted() -> None:
    wasted = replace(exchange("beta", 10.02, 10.03, text="Hm"), fault=Empty())
    seen = replace(with_expectation(requests={}), exchanges=(*greeted().exchanges, wasted))
    assert any("of beta cost $0.0060 instead of $0.0120" in sentence for sentence in judge(seen).failures)
    paid = message("beta", text(HELLO), cost=2 * BETA.price.cost(USAGE))
    assert judge(stored(seen, paid)).passed


@pytest.mark.parametrize(("pause", "late"), [(4.0, False), (5.0, True)])
def test_a_request_after_a_cooldown_can_be_caused_by_a_slow_machine(pause: float, late: bool) -> None:
    seen = with_expectation(at_most={"alpha": 1}, requests={})
    first, last = seen.exchanges
    again = replace(first, arrived=first.arrived + pause)
    served = replace(last, arrived=again.arrived + 0.04, finished=again.arrived + 0.05)
    verdict = judge(replace(seen, exchanges=(first, again, served)))

    assert verdict.failures == ("alpha got 2 requests instead of at most 1",)
    assert verdict.late is late
