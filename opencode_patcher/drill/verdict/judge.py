"""The verdict on one run, as a pure function of what was observed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.plan import SERIAL, SUMMARY, TITLE
from opencode_patcher.drill.scenarios.scenario import Scenario, Through
from opencode_patcher.drill.verdict import acp_view, costs
from opencode_patcher.drill.verdict.observation import Observation

SHOWN_ERROR = 160
"""How many characters of an error the table shows."""

COOLDOWN_SECONDS = 5.0
"""The first cooldown after a transient failure (TRANSIENT in templates/combined/health/cooldown.ts)."""


class _Late(str):
    """A failure that load alone can cause."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on one scenario.

    ``expected`` and ``seen`` are one line each; ``failures`` has a sentence for each thing that is wrong (empty when it
    passed). ``late``: it only failed because it was too slow, which load can cause. ``first_try`` are the failures of a
    first try that was only too slow, after which the scenario was repeated alone; everything else is about the second
    try. ``failover_ms`` is the longest time from a provider's failure to the next provider's request; None when there
    was none, or when the failure cannot be timed (a refused connection).
    """

    scenario: str
    title: str
    expected: str
    seen: str
    failures: tuple[str, ...]
    failover_ms: float | None
    late: bool = False
    first_try: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures


def judge(observation: Observation) -> Verdict:
    """Compare a run with what its scenario expects."""
    scenario = observation.scenario
    failures = tuple(_failures(observation))
    refused = any(exchange.violations for exchange in observation.exchanges)
    # Everything else that is wrong with an unfinished turn may be a consequence, except a refused request.
    late = (observation.code is None and not refused) or all(isinstance(failure, _Late) for failure in failures)
    return Verdict(
        scenario=scenario.name,
        title=scenario.title,
        expected=_expected(scenario),
        seen=_seen(observation),
        failures=tuple(map(str, failures)),
        failover_ms=failover_ms(observation),
        late=late and bool(failures),
    )


def failover_ms(observation: Observation) -> float | None:
    """The longest time in milliseconds from the end of a failed answer to the next provider's first request.

    Returning to a provider that was asked before is not a failover: there is a wait for its recovery in between.
    """
    times: list[float] = []
    asked: set[str] = set()
    for before, after in pairwise(observation.turn_exchanges):
        asked.add(before.provider)
        if before.failed and before.finished is not None and after.provider not in asked:
            times.append((after.arrived - before.finished) * 1000)
    return max(times, default=None)


def retry_ms(observation: Observation) -> float | None:
    """The longest time in milliseconds from the end of a failed answer to the next request to the same provider."""
    times = [
        (after.arrived - before.finished) * 1000
        for before, after in pairwise(observation.turn_exchanges)
        if before.failed and before.finished is not None and after.provider == before.provider
    ]
    return max(times, default=None)


def _expected(scenario: Scenario) -> str:
    if scenario.expected.cancelled:
        return "the user's cancel ends the turn, and no provider is asked after it"
    if scenario.expected.error:
        return "an error that names " + " and ".join(scenario.expected.error)
    served_by = scenario.expected.served_by
    words = ["served by " + (", then ".join(_runs(served_by)) if served_by else "whoever can")]
    if scenario.effects:
        words.append(_times(scenario.effects))
    if scenario.title_fails:
        words.append("the session gets its title")
    return "; ".join(words)


def _seen(observation: Observation) -> str:
    words = []
    messages = observation.session.answers if observation.session else ()
    served_by = [message.provider for message in messages if message.text or message.tools]
    if served_by:
        words.append("served by " + ", then ".join(_runs(served_by)))
    if observation.code is None:
        words.append(f"still waiting after {observation.limit:.3g} s")
    words.extend(f"error: {_shortened(error)}" for error in dict.fromkeys(observation.errors))
    if (waited := retry_ms(observation)) is not None:
        words.append(f"asked the same provider again after {waited / 1000:.1f} s")
    if observation.effects or observation.scenario.effects:
        words.append(_times(observation.effects))
    if observation.scenario.title_fails and observation.session:
        titled = observation.session.title == TITLE.text("")
        words.append("the session gets its title" if titled else "the title is lost")
    if _remains(observation):
        words.append("parts of the failed attempt left")
    return "; ".join(words) or f"nothing, exit code {observation.code}"


def _failures(observation: Observation) -> Iterator[str]:
    for exchange in observation.exchanges:
        for violation in exchange.violations:
            yield f"{exchange.provider} refused a {exchange.purpose.value} request: {violation}"
    if observation.code is None:
        yield _Late(f"the turn had not ended after {observation.limit:.3g} s")
    expected = observation.scenario.expected
    if expected.cancelled:
        yield from _cancel_failures(observation)
        return
    yield from _bound_failures(observation)
    if expected.error:
        yield from _error_failures(observation)
        yield from _request_failures(observation)
        yield from _open_failures(observation)
        yield from _effect_failures(observation)
        return
    yield from _outcome_failures(observation)
    yield from _request_failures(observation)
    yield from _transcript_failures(observation)
    yield from _tool_failures(observation)
    # The second API of OpenCode 1 stores no costs (packages/core/src/session/runner/llm.ts) and makes no titles.
    if observation.through is not Through.SECOND_API:
        yield from _cost_failures(observation)
    if observation.updates is not None and observation.session:
        yield from acp_view.wrong(observation.updates, observation.session)


def _cancel_failures(observation: Observation) -> Iterator[str]:
    if observation.cancelled is None:
        yield _Late("the turn was over before the user could cancel")
        return
    # The title is made in parallel and not part of what the user cancels.
    asked = [one for one in observation.exchanges if one.purpose is not Purpose.TITLE]
    for exchange in asked:
        if exchange.arrived > observation.cancelled:
            yield f"{exchange.provider} was asked after the user's cancel"
    if observation.subject.patched:
        yield from _bound_failures(observation)
        yield from _request_failures(observation)
    yield from _open_failures(observation)


def _bound_failures(observation: Observation) -> Iterator[str]:
    """The limits of a scenario; the time limit is for a binary that has another provider."""
    expected = observation.scenario.expected
    for provider, bound in expected.at_most.items():
        asked = [exchange for exchange in observation.turn_exchanges if exchange.provider == provider]
        if len(asked) > bound:
            wrong = f"{provider} got {len(asked)} requests instead of at most {bound}"
            # On a loaded machine, a turn may take longer than the cooldown after a failure.
            back = [
                after
                for before, after in pairwise(asked)
                if before.failed and after.arrived - before.arrived >= COOLDOWN_SECONDS
            ]
            yield _Late(wrong) if len(asked) - len(back) <= bound else wrong
    if expected.seconds is not None and observation.subject.patched and observation.answer_seconds > expected.seconds:
        yield _Late(f"it took {observation.answer_seconds:.1f} s instead of at most {expected.seconds:.3g} s")


def _error_failures(observation: Observation) -> Iterator[str]:
    told = " ".join((*observation.errors, observation.stderr))
    if not observation.errors:
        yield "no error was shown"
    for word in observation.scenario.expected.error:
        if word not in told.lower():
            yield f"the error does not name {word}"
    if observation.code == 0:
        yield "the exit code is 0 although the turn failed"


def _outcome_failures(observation: Observation) -> Iterator[str]:
    if observation.code not in {0, None}:
        yield f"the exit code is {observation.code}"
    for error in observation.errors:
        yield f"an error was shown: {_shortened(error)}"


def _request_failures(observation: Observation) -> Iterator[str]:
    seen = Counter(exchange.provider for exchange in observation.turn_exchanges)
    for provider, expected in observation.scenario.expected.requests.items():
        if seen[provider] != expected:
            yield f"{provider} got {seen[provider]} requests instead of {expected}"


def _transcript_failures(observation: Observation) -> Iterator[str]:
    """The transcript must look as if nothing had failed, whoever served which step."""
    scenario = observation.scenario
    if observation.session is None:
        yield "no session was stored"
        return
    messages = observation.session.answers
    stored = tuple(message.provider for message in messages)
    served_by = stored if scenario.expected.served_by is None else scenario.expected.served_by
    if stored != served_by:
        found = ", ".join(stored) or "nobody"
        yield f"the messages are stored under {found} instead of {', '.join(served_by)}"
    if scenario.expected.returns and stored[-1:] != (scenario.expected.returns,):
        last = stored[-1] if stored else "nobody"
        yield f"the last message is served by {last} and not by {scenario.expected.returns}"
    if len(messages) != len(scenario.replies):
        yield f"{len(messages)} messages are stored instead of {len(scenario.replies)}"
    texts = [reply.text(provider) for reply, provider in zip(scenario.replies, served_by, strict=False)]
    if observation.shown_text != "".join(texts):
        yield f"the text shown is {observation.shown_text!r} instead of {''.join(texts)!r}"
    if scenario.prints and observation.printed_text not in {None, "".join(texts)}:
        yield f"the text printed is {observation.printed_text!r} instead of {''.join(texts)!r}"
    if observation.session.title != scenario.expected.title and observation.through is not Through.SECOND_API:
        wrong = f"the session's title is {observation.session.title!r} instead of {scenario.expected.title!r}"
        # A server makes the title in parallel with the turn; ``run`` and an editor are read after the program has
        # ended.
        yield _Late(wrong) if observation.through in {Through.SERVE, Through.OPENCODE_2} else wrong
    for message, text in zip(messages, texts, strict=False):
        if message.text != text:
            yield f"a stored message of {message.provider} reads {message.text!r} instead of {text!r}"
    # OpenCode requests a last message without a finish reason again, in newer releases endlessly.
    if messages and not messages[-1].finish:
        yield f"the last message, of {messages[-1].provider}, is stored without a finish reason"
    summaries = [message.text for message in observation.session.summaries]
    if summaries != [SUMMARY.text("")] * sum(turn.compact for turn in scenario.turns):
        yield f"the stored summaries are {summaries}"
    yield from _message_failures(observation)


def _message_failures(observation: Observation) -> Iterator[str]:
    known = {provider.id: provider.model for provider in observation.scenario.providers}
    for message in (message for session in observation.sessions for message in session.messages):
        if message.provider in known and message.model != known[message.provider]:
            yield f"a message of {message.provider} is stored under the model {message.model}"
        if message.error:
            yield f"a stored message of {message.provider} has an error: {_shortened(message.error)}"
    yield from _open_failures(observation)


def _open_failures(observation: Observation) -> Iterator[str]:
    for message in (message for session in observation.sessions for message in session.messages):
        if not message.completed:
            yield f"a stored message of {message.provider} is not completed"
        for part in message.parts:
            if not part.closed:
                yield f"a {part.kind} part of {message.provider} is still open"


def _tool_failures(observation: Observation) -> Iterator[str]:
    scenario = observation.scenario
    yield from _effect_failures(observation)
    if observation.session is None:
        return
    calls = [tool for message in observation.session.messages for tool in message.tools]
    expected = [call.id for reply in scenario.replies for call in reply.tools]
    if [call.call.rpartition(SERIAL)[0] for call in calls] != expected:
        found = ", ".join(call.call for call in calls) or "none"
        yield f"the stored tool calls are {found} instead of {', '.join(expected) or 'none'}"
    for call in calls:
        if call.status != "completed":
            yield f"the stored tool call {call.call} is {call.status}"


def _effect_failures(observation: Observation) -> Iterator[str]:
    if observation.effects != observation.scenario.effects:
        yield f"{_times(observation.effects)} instead of {_times(observation.scenario.effects)}"


def _cost_failures(observation: Observation) -> Iterator[str]:
    """Each provider's messages cost what it reported; the session's own total matches its messages, and so do the steps
    that ``run`` printed.
    """
    if observation.session is None:
        return
    # OpenCode 2 adds what a summary costs to the session alone.
    apart = {Purpose.TITLE, *([Purpose.SUMMARY] if observation.through is Through.OPENCODE_2 else [])}
    exchanges = [exchange for exchange in observation.exchanges if exchange.purpose not in apart]
    messages = [message for session in observation.sessions for message in session.messages]
    yield from costs.wrong(exchanges, messages, observation.scenario.providers)
    yield from (sentence for session in observation.sessions for sentence in costs.differing(session))
    if observation.subject.patched and observation.printed_cost is not None:
        yield from costs.misprinted(observation.session, observation.printed_cost)


def _remains(observation: Observation) -> bool:
    """Whether a message has an unfinished part, or a text that no provider sent completely."""
    if observation.session is None:
        return False
    whole = {
        reply.text(provider.id) for reply in observation.scenario.replies for provider in observation.scenario.providers
    }
    return any(
        (message.text and message.text not in whole) or not all(part.closed for part in message.parts)
        for message in observation.session.answers
    )


def _runs(providers: Sequence[str]) -> list[str]:
    """The providers in order, without consecutive repeats."""
    return [provider for provider, _ in groupby(providers)]


def _times(effects: int) -> str:
    return {0: "the tool did not run", 1: "the tool ran once"}.get(effects, f"the tool ran {effects} times")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_ERROR else line[: SHOWN_ERROR - 1] + "…"
