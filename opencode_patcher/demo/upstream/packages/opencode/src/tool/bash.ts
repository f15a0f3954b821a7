import { Effect, Schema } from "effect"
import { type Definition, parameters, text } from "./tool"

const decode = Schema.decodeUnknownEffect(
  Schema.Struct({ command: Schema.String, description: Schema.optional(Schema.String) }),
)

export const definition: Definition = {
  id: "bash",
  description: "Run a shell command in the project's directory",
  parameters: parameters({ command: text("The command"), description: text("What it does") }, ["command"]),
  execute: (args) =>
    Effect.gen(function* () {
      const { command, description } = yield* decode(args)
      return yield* Effect.tryPromise({
        try: async (signal) => {
          const shell = Bun.spawn([process.env.SHELL ?? "/bin/sh", "-c", command], { stderr: "pipe", signal })
          const [out, error] = await Promise.all([shell.stdout.text(), shell.stderr.text()])
          const code = await shell.exited
          return { title: description ?? command, output: `${out}${error}${code ? `exit code ${code}` : ""}` }
        },
        catch: (error) => error,
      })
    }),
}

export * as BashTool from "./bash"
