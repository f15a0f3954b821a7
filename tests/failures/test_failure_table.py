"""The table of failures: what it says of real ones, that both readers agree, and that its page is up to date."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from opencode_patcher.base import process
from opencode_patcher.failures import check, document, explain, redact, table, typescript
from tests.failures.corpus import DATA, Case, cases, serves, wrong

ROOT = Path(__file__).parents[2]

CASES = tuple(cases())

MISSED = frozenset((DATA / "missed.txt").read_text(encoding="utf-8").split())
"""Cases that come to something worse than what the corpus says. None may be added without a reason in the commit."""


@cache
def in_python(case: Case) -> dict[str, Any]:
    return case.found()


def test_the_corpus_is_of_many_vendors_and_each_case_has_its_source() -> None:
    failures = [case for case in CASES if not case.ordinary]
    assert len(failures) >= 150
    assert len({case.vendor for case in failures}) >= 25
    assert all(case.source.startswith(("https://", "http://")) for case in CASES)


def test_real_failures_are_understood() -> None:
    missed = {
        case.id: wrong(in_python(case), case.expected, case.ordinary)
        for case in CASES
        if not serves(in_python(case), case.expected, case.ordinary)
    }
    assert {name: fault for name, fault in missed.items() if name not in MISSED} == {}
    assert missed.keys() == MISSED, "what is understood now has to be taken out of missed.txt"


def test_most_are_understood_exactly() -> None:
    failures = [case for case in CASES if not case.ordinary]
    exact = [case for case in failures if not wrong(in_python(case), case.expected)]
    assert len(exact) >= 0.9 * len(failures)
    assert len(MISSED) <= 0.02 * len(failures)


def test_a_request_that_is_wrong_in_itself_is_no_failure_of_a_provider() -> None:
    ordinary = [case for case in CASES if case.ordinary]
    assert len(ordinary) >= 300
    blamed = [case.id for case in ordinary if wrong(in_python(case), case.expected, ordinary=True)]
    assert len(blamed) <= 0.01 * len(ordinary), blamed


def test_what_is_shown_is_never_a_piece_of_data() -> None:
    shown = [in_python(case)["message"] for case in CASES]
    assert [
        text for text in shown if re.search(r"\{\s*[\"']|\{\w+:|^[{\[]|<\w*html|^\s*<[a-z!/]|[\0-\x1f\x7f-\x9f]", text)
    ] == []


def test_both_readers_agree_on_every_case(bun: Path, tmp_path: Path) -> None:
    (tmp_path / "table.json").write_text(typescript.table_json(), encoding="utf-8")
    given = [case.given for case in CASES]
    done = process.run(
        [bun, Path(__file__).with_name("agreement.ts")],
        cwd=ROOT / "tests" / "combined",
        stdin="".join(f"{json.dumps(item)}\n" for item in given),
        env={"OPENCODE_PATCHER_FAILURE_TABLE": str(tmp_path / "table.json")},
    )
    other = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(other) == len(given)
    for case, found in zip(CASES, other, strict=True):
        assert in_python(case) == found["fault"], case.id
        failure: dict[str, Any] = {name: case.given[name] for name in ("error", "inside") if name in case.given}
        now = datetime.fromtimestamp(case.given["now"] / 1000, UTC)
        assert explain.explain(failure, now=now).cooldown == found.get("cooldown"), case.id


def test_both_sides_redact_the_same_keys() -> None:
    source = (ROOT / "templates/combined/failure/redact.ts").read_text(encoding="utf-8")
    theirs = [text.replace("\\/", "/") for text in re.findall(r"^  /(.+)/gi?,$", source, re.MULTILINE)]
    assert len(theirs) > 10
    assert [pattern.pattern for pattern in (*redact.KEYS, *redact.AFTER)] == theirs


def test_nothing_is_wrong_with_the_table() -> None:
    assert check.check(table.PATH.read_text(encoding="utf-8")) == []


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    assert page == document.document(table.load()), "run: python -m opencode_patcher.failures"


def test_finish_reasons_stand_for_what_their_examples_say() -> None:
    for ending in table.load().endings:
        for word in ending.example:
            assert next(item.means for item in table.load().endings if item.says.search(word)) == ending.means
