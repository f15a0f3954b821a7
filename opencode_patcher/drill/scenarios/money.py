"""Providers that bill each request, and a budget: what is not sent, and who answers instead."""

from __future__ import annotations

from dataclasses import replace

from opencode_patcher.drill.fakes.faults import HttpError
from opencode_patcher.drill.fakes.usage import Price
from opencode_patcher.drill.scenarios.agents import QUESTION
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, ERRAND, GREETING
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario, Through

USED_UP = HttpError(status=402, message="You have used up your plan", code="insufficient_quota")

FREE = replace(BETA, price=Price(input=0, output=0))

CENTS = 0.25
"""Less than a request to ALPHA may cost: an answer of 32,000 tokens alone would be $0.48."""

MONEY_SCENARIOS = (
    Scenario(
        name="metered-never",
        title="nothing is sent to providers that bill each request, and an error says why",
        providers=(ALPHA, BETA),
        turns=(GREETING,),
        expected=Expectation(
            served_by=None, error=("alpha", "beta", "combined.metered"), requests={"alpha": 0, "beta": 0}
        ),
        combined={"metered": "never"},
    ),
    Scenario(
        name="metered-never-plan",
        title="a plan answers instead of a preferred provider that bills each request",
        providers=(ALPHA, BETA),
        turns=(ERRAND,),
        expected=Expectation(served_by=("beta", "beta"), requests={"alpha": 0, "beta": 2}),
        combined={"metered": "never", "price_class": {"beta*": "plan"}},
    ),
    Scenario(
        name="metered-never-used-up",
        title="a used-up plan ends the turn instead of billing",
        providers=(replace(ALPHA, then=USED_UP), BETA),
        turns=(GREETING,),
        expected=Expectation(
            served_by=None, error=("used up your plan", "combined.metered"), requests={"alpha": 1, "beta": 0}
        ),
        combined={"metered": "never", "price_class": {"alpha*": "plan"}},
    ),
    Scenario(
        name="metered-ask-run",
        title="opencode run, which cannot ask, sends nothing that is billed and says how to allow it",
        providers=(ALPHA, BETA),
        turns=(GREETING,),
        expected=Expectation(served_by=None, error=("combined.metered", "--auto"), requests={"alpha": 0, "beta": 0}),
        combined={"metered": "ask"},
        through=Through.RUN,
    ),
    Scenario(
        name="budget-session",
        title="a free provider answers where the preferred one may break the session's budget",
        providers=(ALPHA, FREE),
        turns=(ERRAND, QUESTION),
        expected=Expectation(served_by=("beta", "beta", "beta"), requests={"alpha": 0, "beta": 3}),
        combined={"budget": {"session": CENTS}},
    ),
    Scenario(
        name="budget-used-up",
        title="where every provider may break the budget, nothing is sent, and an error names the cap",
        providers=(ALPHA, BETA),
        turns=(GREETING,),
        expected=Expectation(
            served_by=None,
            error=("combined.budget.session is $0.25", "$0.00 spent", "start a new one"),
            requests={"alpha": 0, "beta": 0},
        ),
        combined={"budget": {"session": CENTS}},
    ),
)
