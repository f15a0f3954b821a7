"""For those who mend the patches: a work tree with one commit a patch, and the way back from it to ``patches/``.

``workbench`` makes the tree and carries the patches over, ``conflict`` turns a patch that does not fit into a normal
conflict of git, ``writeback`` makes patch files of the commits.
"""
