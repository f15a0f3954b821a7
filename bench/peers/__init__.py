"""The drill's fake providers and some of its scenarios as a neutral harness for other ways to fail over.

``peers`` says how each of them is set up, ``play`` plays one scenario with one of them and notes what a user would
notice, ``table`` makes the page of it. ``python -m bench.peers --help``; the results are in ``docs/comparison.md``.
"""
