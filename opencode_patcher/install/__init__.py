"""Puts a build where the user's shell finds it, and takes it away again.

    builds ──> records (own copy under ``installed``) ──> system.switch (one atomic step) ──> state

What is active is read from the place in the bin directory itself; ``state.json`` adds what cannot be seen there:
which place that is, what was there before, and the order of activations. So a run that is killed between two
steps leaves nothing to repair.

What differs between operating systems stands behind ``system.System``, one module each.
"""
