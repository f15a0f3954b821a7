"""Looks for what is in the way of building, installing and failing over. Each check is a module; nothing is repaired.

examine ──> store, programs, network, disk, installation, configured ──> Finding
"""
