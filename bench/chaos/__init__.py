"""Chaos: hundreds of seeded turns with tools through one server of OpenCode 1 or 2, with faults at every provider.

    python -m bench.chaos --binary PATH [--turns N] [--seed N] [--workers N] [--healthy] [--json]

``plan`` makes a session from its seed, ``check`` finds what is wrong with a turn (both pure), ``opencode`` talks to the
server, ``run`` plays the sessions. A seed stands for one session; a seed that failed is replayed with
``--seed N --turns 8``.
"""
