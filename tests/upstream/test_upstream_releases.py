from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest_types import Upstream

from opencode_patcher.errors import SourceError
from opencode_patcher.upstream import releases
