"""The values of the variables that patches and new files may use: what differs between lines, releases and builds."""

from __future__ import annotations

from opencode_patcher import __version__
from opencode_patcher.base.line import Line
from opencode_patcher.base.version import Release, version_of


def values_for(line: Line, release: Release) -> dict[str, str]:
    """The value of each variable for one release of a line. ``docs/patches.md`` says what they are for."""
    from opencode_patcher.failures.typescript import table_json
    from opencode_patcher.models import schema
    from opencode_patcher.models.json_schema import settings_json
    from opencode_patcher.models.typescript import rules_json

    return {
        "failure_table": table_json(),
        "identity_rules": rules_json(),
        "tool_version": __version__,
        **({"settings_schema": settings_json()} if schema.is_there() else {}),
        **values_of(line, release.tag),
    }


def values_of(line: Line, tag: str) -> dict[str, str]:
    """The values that differ between the releases of a line, for that of a tag."""
    named = line.at(version_of(tag) or line.since)
    return {"combined": named.combined, "ending": named.ending, "release_tag": tag}
