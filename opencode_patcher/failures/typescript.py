"""The table for the TypeScript side: as JSON, which is valid TypeScript."""

from __future__ import annotations

import json
from collections.abc import Mapping

from opencode_patcher.failures.table import Row, Table, load


def table_json(table: Table | None = None) -> str:
    """The value of ``failure_table`` in ``failure/table.ts.j2``: one JSON object, its rows in order of precedence."""
    table = table or load()
    return json.dumps(
        {
            "rows": [_row(row) for row in table.rows],
            "endings": [
                {"means": item.means, "whole": item.whole, "words": "|".join(item.words)} for item in table.endings
            ],
        },
        indent=2,
        ensure_ascii=True,
    )


def _row(row: Row) -> dict[str, object]:
    """The fields that decide. Vendor, source and example are for people; empty fields are left out."""
    found = {
        "id": row.id,
        "status": list(row.status),
        "code": list(row.code),
        "words": _joined(row.words),
        "unless": _joined(row.unless),
        "header": dict(row.header),
        "page": row.page,
        "event": row.event,
        "class": row.kind,
        "scope": row.scope,
        "time": list(row.time),
        "zone": row.zone,
        "early": row.early,
        "lasting": row.lasting,
        "long": row.long,
        "refusal": row.is_refusal,
        "without": row.without,
    }
    return {name: value for name, value in found.items() if value}


def _joined(words: Mapping[str, tuple[str, ...]]) -> str:
    return "|".join(text for texts in words.values() for text in texts)
