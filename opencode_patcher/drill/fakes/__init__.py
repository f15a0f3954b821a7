"""Fake providers: what they are asked, what they answer and what goes wrong with it."""
