"""Upstream moved on: check the patches over releases, follow moved files, mend what does not fit, update the lock."""
