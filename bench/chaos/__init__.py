"""Chaos: hundreds of seeded turns with tools through one ``opencode serve``, with random faults at every provider.

    python -m bench.chaos --binary PATH [--turns N] [--seed N] [--workers N] [--healthy] [--json]

``plan`` makes a session from its seed, ``check`` finds what is wrong with a turn (both pure), ``run`` drives the
server. A seed stands for one session; a seed that failed is replayed with ``--seed N --turns 8``.
"""
