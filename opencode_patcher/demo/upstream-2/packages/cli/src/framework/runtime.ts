/** Where OpenCode 2 runs a command. The small one does so in ../index.ts. */
import { Effect } from "effect"
import { Updater } from "../services/updater"

declare namespace Command {
  type Environment = typeof Updater
}

const Command = { run: (_provided: unknown, _options: unknown): unknown => Effect.void }

const provide = (root: object, handlers: readonly unknown[]) => ({ root, handlers })

export function run(commands: object, handlers: readonly unknown[], options: { readonly version: string }) {
  return Command.run(provide(commands, handlers), options) as Effect.Effect<void, unknown, Command.Environment>
}
