/**
 * `opencode agent create` asks for one object, whole, outside any session. It is asked of one member after the other, each
 * under its own name, so that upstream asks it in the way that this provider wants.
 */
import type { Provider } from "@/provider/provider"
import { Cause, Effect } from "effect"
import { CombinedFailure } from "../failure/classify"
import { CombinedRoute } from "../provider/route"
import { CombinedRecovery } from "../driver/recovery"

type Model = { providerID: Provider.Model["providerID"]; modelID: Provider.Model["id"] }

/** Takes the place of `Effect.fn`. */
export const fn =
  (providers: Provider.Interface) =>
  <Input extends { model?: Model }, Eff extends Effect.Effect<unknown, unknown, unknown>, A>(
    body: (input: Input) => Generator<Eff, A, never>,
  ) => {
    const ask = Effect.fn("CombinedAgentCreate.ask")(body)

    const serve = (input: Input, model: Provider.Model, origin: CombinedRoute.Origin): ReturnType<typeof ask> =>
      ask({ ...input, model: { providerID: model.providerID, modelID: model.id } }).pipe(
        Effect.tap(() => origin.succeed),
        Effect.catchCause((cause) =>
          Effect.gen(function* () {
            const failure = Cause.hasInterruptsOnly(cause) ? undefined : CombinedFailure.classify(Cause.squash(cause))
            if (!failure || !CombinedRecovery.moves(origin, failure.kind)) return yield* Effect.failCause(cause)
            const next = yield* origin.fail(failure)
            const further = next.type === "serve" ? CombinedRoute.of(next.model) : undefined
            if (next.type === "wait" || !further) return yield* Effect.failCause(cause)
            return yield* serve(input, next.model, further)
          }),
        ),
      )

    return Effect.fn("CombinedAgentCreate.generate")(function* (input: Input) {
      const chosen = input.model ?? (yield* providers.defaultModel())
      const model = yield* providers.getModel(chosen.providerID, chosen.modelID)
      const origin = CombinedRoute.of(model)
      return yield* origin ? serve(input, model, origin) : ask({ ...input, model: chosen })
    })
  }

export * as CombinedAgentCreate from "./agent"
