"""Puts a build where the user's shell finds it, and removes it again.

    builds ──> records (own copy under ``installed``) ──> system.switch (one atomic step) ──> state

Which build is active is read from the bin directory itself. ``state.json`` adds what cannot be seen there: which
directory that is, what was there before, and the order of activations. So a run killed between two steps leaves nothing
to repair.

What differs between operating systems is in ``systems``: one module each, behind one Protocol.
"""
