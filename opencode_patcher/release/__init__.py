"""A release: binaries for all platforms in archives like upstream's, with everything needed to trust and rebuild them.

    order ──> parts ──> make ──> DIR ──> reproduce
                         uses headers, archives, notices, sbom, notes, manifest, sums

``inputs`` prepares what goes into the binaries, ``make`` builds and writes a directory, ``reproduce`` builds again, and
``comparison`` compares. ``comparison``, ``headers``, ``sbom``, ``manifest`` and ``notices.text`` are pure.
"""

from opencode_patcher.release.comparison import Reproduction
from opencode_patcher.release.inputs import Order
from opencode_patcher.release.make import DrillBinary, Made
from opencode_patcher.release.published import Published

__all__ = ["DrillBinary", "Made", "Order", "Published", "Reproduction"]
