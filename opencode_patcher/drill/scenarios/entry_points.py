"""Ways to use OpenCode other than a plain turn: an editor, configured models, agents, commands, forks."""

from __future__ import annotations

from dataclasses import replace

from opencode_patcher.base.line import NO_RUNNER, RUNNER
from opencode_patcher.drill.fakes.faults import At, Broken, How
from opencode_patcher.drill.fakes.plan import TITLE
from opencode_patcher.drill.scenarios.agents import QUESTION
from opencode_patcher.drill.scenarios.quick import (
    ALPHA,
    BETA,
    ERRAND,
    EXPIRED,
    GREETING,
    OVERLOADED,
    RESTING,
    RETRIED,
)
from opencode_patcher.drill.scenarios.scenario import MODEL, Expectation, Scenario, Through

EDITOR_SECONDS = 1.5
"""How long an editor may take to show the first words of an answer."""

CAREFUL = "careful"

_EDITORS = (
    Scenario(
        name="editor-text",
        title="an editor (ACP) is told what was discarded",
        # OpenCode sends text to the editor only after looking up whose it is.
        providers=(replace(ALPHA, then=Broken(at=At.TEXT, how=How.RESET, pause=EDITOR_SECONDS)), BETA),
        turns=(GREETING, QUESTION),
        expected=Expectation(served_by=("beta", "beta"), requests={"beta": 2}, at_most={"alpha": RETRIED}),
        through=Through.ACP,
    ),
    Scenario(
        name="editor-tool",
        title="an editor (ACP) sees the end of a discarded tool call",
        providers=(replace(ALPHA, then=Broken(at=At.TOOL_INPUT, how=How.RESET)), BETA),
        turns=(ERRAND,),
        expected=Expectation(served_by=("beta", "beta"), requests={"beta": 2}, at_most={"alpha": RETRIED}),
        through=Through.ACP,
    ),
    Scenario(
        name="editor-commit",
        title="an editor (ACP) sees a finished tool once, whoever takes over",
        providers=(
            replace(ALPHA, faults=(Broken(at=At.CONTENT, how=How.RESET, tools=1),), then=OVERLOADED),
            BETA,
        ),
        turns=(ERRAND,),
        expected=Expectation(served_by=("alpha", "beta"), requests={"beta": 1}, at_most={"alpha": RETRIED}),
        through=Through.ACP,
    ),
)

_WAYS = (
    Scenario(
        name="run-configured",
        title="run with the configured model, an agent's and a command's",
        providers=(replace(ALPHA, faults=(None, None), then=RESTING), BETA),
        turns=(
            replace(GREETING, arguments=(GREETING.prompt,)),
            replace(QUESTION, arguments=("--continue", "--agent", CAREFUL, QUESTION.prompt)),
            replace(ERRAND, arguments=("--continue", "--command", "errand")),
        ),
        settings={
            "model": MODEL,
            "agent": {CAREFUL: {"mode": "primary", "description": "Takes care", "model": MODEL}},
            "command": {"errand": {"template": ERRAND.prompt, "description": "Runs the errand", "model": MODEL}},
        },
        expected=Expectation(served_by=("alpha", "alpha", "beta", "beta"), requests={"alpha": 3, "beta": 2}),
        through=Through.RUN,
    ),
    Scenario(
        name="run-fork",
        title="a fork of a session continues with the next provider",
        providers=(replace(ALPHA, faults=(None,), then=RESTING), BETA),
        turns=(GREETING, replace(ERRAND, arguments=("--continue", "--fork", ERRAND.prompt))),
        expected=Expectation(
            served_by=("alpha", "beta", "beta"),
            requests={"alpha": 2, "beta": 2},
            title=f"{TITLE.text('')} (fork #1)",
        ),
        through=Through.RUN,
    ),
)

_UNDONE = tuple(
    Scenario(
        name=f"undo-{name}",
        title=f"undo and redo after {what}",
        providers=(replace(ALPHA, faults=(fault,), then=OVERLOADED), BETA),
        turns=(replace(ERRAND, undone=True),),
        expected=Expectation(served_by=served_by, requests={"beta": len(served_by) - served_by.count("alpha")}),
        through=Through.SERVE,
    )
    for name, what, fault, served_by in (
        (
            "commit",
            "a cut after a finished tool",
            Broken(at=At.CONTENT, how=How.RESET, tools=1),
            ("alpha", "beta"),
        ),
        ("retract", "a discarded step", Broken(at=At.TOOL_INPUT, how=How.RESET), ("beta", "beta")),
    )
)

_SECOND_API = (
    Scenario(
        name="second-api",
        title="the second API (/api/session) fails over before any output",
        providers=(replace(ALPHA, then=RESTING), BETA),
        turns=(ERRAND, QUESTION),
        expected=Expectation(served_by=("beta", "beta", "beta"), requests={"alpha": 1, "beta": 3}),
        through=Through.SECOND_API,
        releases=RUNNER,
    ),
    Scenario(
        name="second-api-error",
        title="the second API says that no provider can answer",
        providers=(replace(ALPHA, then=EXPIRED), replace(BETA, then=RESTING)),
        turns=(GREETING,),
        expected=Expectation(served_by=None, error=("alpha", "beta"), requests={"alpha": 1, "beta": 1}),
        through=Through.SECOND_API,
        releases=RUNNER,
    ),
    Scenario(
        name="second-api-refused",
        title="the second API of an older release refuses a combined model at once",
        providers=(ALPHA, BETA),
        turns=(GREETING,),
        expected=Expectation(served_by=None, error=("combined/", "post /session"), requests={"alpha": 0, "beta": 0}),
        through=Through.SECOND_API,
        releases=NO_RUNNER,
    ),
)

WAY_SCENARIOS = (*_EDITORS, *_WAYS, *_UNDONE, *_SECOND_API)
