"""Finds what prevents building, installing or failing over. Each check is a module; nothing is repaired.

examine ──> store, programs, network, disk, installation, configured ──> Finding
"""
