"""Fake providers: the requests they get, their answers, and what goes wrong."""
