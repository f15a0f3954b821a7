"""A release: binaries for all platforms in upstream's archives, with all that is needed to trust and to remake them.

    order ──> parts ──> make ──> DIR ──> reproduce
                         uses headers, archives, notices, sbom, notes, manifest, sums

``inputs`` gets ready what goes into the binaries, ``make`` builds and writes a directory, ``reproduce`` builds again,
and ``comparison`` compares. ``comparison``, ``headers``, ``sbom``, ``manifest`` and ``notices.text`` are pure.
"""

from opencode_patcher.release.comparison import Reproduction
from opencode_patcher.release.inputs import Order
from opencode_patcher.release.make import DrillBinary, Made
from opencode_patcher.release.published import Published

__all__ = ["DrillBinary", "Made", "Order", "Published", "Reproduction"]
