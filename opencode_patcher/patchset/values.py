"""The values of the variables that patches and new files may use: what differs between lines, releases and builds."""

from __future__ import annotations

from opencode_patcher import __version__
from opencode_patcher.base.line import Line
from opencode_patcher.base.version import Release


def values_for(line: Line, release: Release) -> dict[str, str]:
    """The value of each variable for one release of a line. ``docs/patches.md`` says what they are for."""
    from opencode_patcher.failures.typescript import table_json
    from opencode_patcher.models import schema
    from opencode_patcher.models.json_schema import settings_json
    from opencode_patcher.models.typescript import rules_json

    named = line.at(release.version)
    return {
        "combined": named.combined,
        "ending": named.ending,
        "failure_table": table_json(),
        "identity_rules": rules_json(),
        "release_tag": release.tag,
        "tool_version": __version__,
        **({"settings_schema": settings_json()} if schema.is_there() else {}),
    }
