"""``opencode-patcher`` with other patches and templates, and a drill that is content with everything.

python -m tests.cli.launcher DIRECTORY [ARGUMENT...]
"""

import sys
from pathlib import Path

from opencode_patcher import __main__, pipeline
from opencode_patcher.base import resources
from opencode_patcher.install import builds


def stand_in(directory: Path) -> None:
    """From now on, ``patches`` and ``templates`` of this process are those in ``directory``."""
    resources._PACKAGE = directory / "opencode_patcher"
    passed = builds.DrillResult(passed=("healthy",), failed=(), failover_ms=1.0)
    pipeline.drill = pipeline.whole_drill = lambda *_: passed


if __name__ == "__main__":
    stand_in(Path(sys.argv[1]))
    __main__.main(sys.argv[2:])
