"""``opencode-patcher`` with other patches and templates, and a drill that is content with everything.

python launcher.py PATCHES TEMPLATES [ARGUMENT...]
"""

import sys
from pathlib import Path

from opencode_patcher import __main__
from opencode_patcher.base import resources
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.install import builds

patches, templates = map(Path, sys.argv[1:3])


def patches_of(line: Line = OPENCODE_1) -> Path:
    return patches


resources.patches = patches_of
resources.templates = lambda: templates

from opencode_patcher import pipeline  # noqa: E402  (after the resources are replaced)

pipeline.drill = pipeline.whole_drill = lambda *_: builds.DrillResult(passed=("healthy",), failed=(), failover_ms=1.0)

__main__.main(sys.argv[3:])
