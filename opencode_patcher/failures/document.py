"""The table for people: ``docs/failures.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opencode_patcher.failures.table import CLASSES, SCOPES, Row, Table

_HEAD = """\
# What providers' failures mean

Written by `python -m opencode_patcher.failures` from
[failures.toml](../opencode_patcher/failures/failures.toml); change the rows there. OpenCode gets the same rows.

The stages are tried in this order, and so are the rows of a stage. The first row that matches decides. After a failure
that no row matches, one more provider is asked before the error is shown.

```
opencode-patcher failures explain FILE      which row decides a failure, and what happens then
opencode-patcher failures check FILE        mistakes in rows of your own
opencode-patcher attempts --unknown         failures in your log that no row matches, ready to paste
```
"""

_TIMES = """\
## When a provider is asked again

If the provider says when to come back, it is not asked before. The time may be in headers (`retry-after`, the reset of
a used-up limit), in fields of the error, or in the message (durations in English and Chinese, dates with a time zone,
dates without one if the vendor's zone is known). A time of more than a year is considered a mistake and ignored.

A rate limit that ends later than in an hour counts as a used-up quota, whatever the vendor calls it.

A limit that ends in days (class `quota`) is respected until then, for 35 days at most. The provider is tried once a day
only if the vendor may be wrong: if the row says "may end early" (limits that end sooner when you change the plan or buy
credits), or if the given end is later than that of any plan. Such a try is one request, and is free while the limit
lasts. Any other cooldown ends within a day.

Without a time, the provider is tried again half an hour after a first `quota` failure, and after twice as long each
further time, up to six hours. Any success of the provider ends the cooldown, including one of its own model that you
chose yourself, or a title.
"""


def document(table: Table) -> str:
    """The page."""
    return "\n".join(_lines(table))


def _lines(table: Table) -> Iterator[str]:
    yield _HEAD
    yield "## Classes\n"
    yield "| class | meaning |\n|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in CLASSES.items())
    yield "\n## Scopes\n"
    yield "| scope | what is avoided |\n|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in SCOPES.items())
    yield f"\n{_TIMES}"
    yield "## Rows"
    for stage, why in table.stages.items():
        yield f"\n### {stage}\n\n{why}\n"
        yield "| row | vendor | where it shows | class, scope | source |\n|---|---|---|---|---|"
        yield from (_row(row) for row in table.rows if row.stage == stage)
    yield "\n## Finish reasons\n"
    yield "Any other finish reason that an SDK does not know means that the answer was cut off.\n"
    yield "| means | vendor | examples |\n|---|---|---|"
    for ending in table.endings:
        yield f"| {ending.means} | {ending.vendor} | {', '.join(f'`{word}`' for word in ending.example)} |"
    yield ""


def _row(row: Row) -> str:
    source = f"[{row.date}]({row.source})"
    result = f"`{row.kind}`, {row.scope}{''.join(f'; {text}' for text in _more(row))}"
    return f"| {row.id} | {row.vendor} | {'; '.join(_where(row))} | {result} | {source} |"


def _where(row: Row) -> Iterator[str]:
    if row.status:
        yield f"status {', '.join(str(code or 'none') for code in row.status)}"
    if row.code:
        yield f"code {_some(list(row.code))}"
    for name, value in row.header.items():
        yield f"header `{name}: {value}`"
    if row.page:
        yield "a web page"
    if row.event:
        yield "in the middle of an answer"
    if row.words:
        yield f"words ({_languages(row.words)})"


def _some(texts: list[str]) -> str:
    shown = ", ".join(f"`{text}`" for text in texts[:6])
    return shown + (f" and {len(texts) - 6} more" if len(texts) > 6 else "")


_LANGUAGES = {"en": "English", "zh": "Chinese", "ja": "Japanese", "ko": "Korean", "ru": "Russian", "eu": "European"}


def _languages(words: Mapping[str, tuple[str, ...]]) -> str:
    return ", ".join(_LANGUAGES.get(language, language) for language in words)


def _more(row: Row) -> Iterator[str]:
    if row.zone:
        yield f"dates in {row.zone}"
    if row.time:
        yield f"time in {', '.join(row.time)}"
    if row.early:
        yield "may end early"
    if row.lasting:
        yield "lasts"
    if row.long:
        yield "too long if no other provider is left"
    if row.without:
        yield f"retried without {row.without}"
