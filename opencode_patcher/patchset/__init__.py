"""The patches to upstream's files and the new files beside them: read, rendered, checked, placed, applied.

``series`` reads ``patches/``, ``newfiles`` reads ``templates/``, ``compose`` turns both into a ``Change``
without touching anything, and ``tree`` makes a work tree equal to the pristine release plus that change.
"""
