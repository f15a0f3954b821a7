"""A record of the log of attempts."""

from __future__ import annotations

import json
from typing import Any


def line(**changes: Any) -> str:
    """A record as ``templates/host/log.ts`` writes it."""
    record = {
        "start": "2026-03-01T11:00:00.000Z",
        "end": "2026-03-01T11:00:02.500Z",
        "session": "ses_one",
        "message": "msg_one",
        "purpose": "step",
        "combined": "glm",
        "provider": "alpha",
        "model": "glm-4.6",
        "phase": "text",
        "action": "served",
        "tokens": {"input": 100, "output": 20, "cache_read": 5},
        "cost": 0.25,
    }
    return json.dumps(record | changes)
