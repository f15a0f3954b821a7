/**
 * `opencode agent create` asks for one complete object, outside of any session. One member after another is asked, each
 * under its own name, so that upstream asks in the way that this provider expects.
 */
import type { Provider } from "@/provider/provider"
import { Cause, Effect } from "effect"
import { CombinedFailure } from "../failure/classify"
import { CombinedPrice } from "../money/price"
import { CombinedRoute } from "../provider/route"
import { CombinedAsk } from "./ask"

type Model = { providerID: Provider.Model["providerID"]; modelID: Provider.Model["id"] }

/** Replaces `Effect.fn` around upstream's function. */
export const fn =
  (providers: Provider.Interface) =>
  <Input extends { model?: Model }, Eff extends Effect.Effect<unknown, unknown, unknown>, A>(
    body: (input: Input) => Generator<Eff, A, never>,
  ) => {
    const ask = Effect.fn("CombinedAgentCreate.ask")(body)

    return Effect.fn("CombinedAgentCreate.generate")(function* (input: Input) {
      const chosen = input.model ?? (yield* providers.defaultModel())
      const model = yield* CombinedRoute.chained(yield* providers.getModel(chosen.providerID, chosen.modelID), [])
      if (!CombinedRoute.of(model)) return yield* ask({ ...input, model: chosen })
      const attempt = (member: Provider.Model) =>
        ask({ ...input, model: { providerID: member.providerID, modelID: member.id } }).pipe(
          Effect.matchCauseEffect({
            onSuccess: (value) => Effect.succeed({ end: { kind: "whole" as const }, value }),
            onFailure: (cause) => {
              if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
              const own = CombinedRoute.of(member)?.settings.own
              const end = CombinedFailure.fault(Cause.squash(cause), Date.now(), { own })
              return Effect.succeed({ end, value: undefined, cause })
            },
          }),
        )
      return yield* CombinedAsk.ask(model, {
        attempt,
        // Outside of a session, the user cannot be asked for consent.
        request: {
          session: Effect.undefined,
          permission: undefined,
          rules: () => [],
          tokens: () => CombinedPrice.tokensOf(input),
        },
        // Upstream drops the tokens that the provider reports.
        bill: (asked) => ({ reported: undefined, answered: asked?.end.kind === "whole" }),
      })
    })
  }

export * as CombinedAgentCreate from "./agent"
