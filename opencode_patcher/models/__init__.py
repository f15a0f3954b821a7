"""Which models of different providers are the same model.

    rules.toml -> rules -> identity.read (one id) -> resolve (whole catalogue) -> grouping.group (combined models)

Everything here is pure except ``catalogue.load`` and ``options.load``, which read a file. The same code runs inside
OpenCode as ``identity*.ts`` with the same rules; tests check that the two agree.
"""
