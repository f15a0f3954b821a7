"""What turns a tree into a binary: bun, the dependencies, the models catalogue, and upstream's build.

    bun.ensure ──> dependencies.install ──> build.build
                   catalogue.ensure ─────────┘

Everything comes from the package registries that the user's npm and pip settings name.
"""
