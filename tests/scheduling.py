"""Which tests run in one process when several share the work, and in which order."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

LONGEST = (
    "tests/real/test_real_opencode_2.py",
    "tests/real/test_real_build.py",
    "tests/real/test_real_ours.py",
    "tests/pipeline/test_pipeline_drill.py",
    "tests/release/test_release_small.py",
    "tests/cli/test_cli_bad_input.py",
    "tests/cli/test_cli_other_runs.py",
    "tests/pipeline/test_pipeline_demo.py",
    "tests/drill/test_drill_runner.py",
    "tests/cli/test_cli_hostile_text.py",
    "tests/install/test_install_command_line.py",
    "tests/pipeline/test_pipeline_build.py",
    "tests/models/test_model_agreement.py",
    "tests/pipeline/test_pipeline_feature.py",
    "tests/release_scripts/test_release_faults.py",
    "tests/release_scripts/test_release_install.py",
    "tests/release_scripts/test_release_killed.py",
    "tests/install/test_install_killed.py",
    "tests/cli/test_cli_hostile_files.py",
    "tests/cli/test_cli_packages.py",
)
"""The files whose tests take longest, longest first. They start first, so that none runs alone at the end."""

TOGETHER = {
    "tests/release/test_release_installed.py": "a release",
    "tests/release/test_release_small.py": "a release",
    "tests/real/test_real_budget.py": "a binary",
    "tests/real/test_real_build.py": "a binary",
    "tests/real/test_real_combined.py": "a binary",
    "tests/real/test_real_configuration.py": "a binary",
    "tests/real/test_real_newest.py": "a binary",
    "tests/real/test_real_recording.py": "a binary",
    "tests/real/test_real_run.py": "a binary",
    "tests/real/test_real_screen.py": "a binary",
    "tests/real/test_real_sessions.py": "a binary",
    "tests/real/test_real_web_ui.py": "a binary",
    "tests/real/test_real_drift.py": "the source",
    "tests/real/test_real_meaning.py": "the source",
    "tests/real/test_real_release.py": "the source",
    "tests/real/test_real_tree.py": "the source",
}
"""The files that share what is expensive to make, which each process would make again."""


def rank(nodeid: str) -> int:
    """The place of a test's file in the order."""
    path = nodeid.partition("::")[0]
    return LONGEST.index(path) if path in LONGEST else len(LONGEST)


class Rooms(LoadScopeScheduling):  # type: ignore[misc]
    """A process takes one file after another, and with it those that it shares something with.

    pytest-xdist's own way to say so, ``--dist loadgroup``, does nothing with pytest 9.2 (seen with pytest-xdist 3.8).
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return TOGETHER.get(path, path)
