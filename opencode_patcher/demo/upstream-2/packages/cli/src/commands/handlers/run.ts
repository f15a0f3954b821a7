/** Calls `run` with its options. The small one does so in ../../index.ts. */
import { Effect, Option } from "effect"
import { runNonInteractive } from "../../run/run"

export default (input: { readonly message: string; readonly model: Option.Option<string> }) =>
  Effect.gen(function* () {
    const server = { endpoint: { url: "http://127.0.0.1" } }
    yield* Effect.promise(() =>
      runNonInteractive({
        server,
        message: input.message,
        model: Option.getOrUndefined(input.model),
      }),
    )
  })
