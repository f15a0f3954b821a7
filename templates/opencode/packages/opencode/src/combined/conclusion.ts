/** Concludes an attempt: what happened, as one record for the log. */
import type { Provider } from "@/provider/provider"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"
import type { CombinedAttempt } from "./attempt"
import { CombinedAttemptLog } from "./attempt-log"
import type { CombinedOrigin } from "./origin"

export type Conclusion = {
  readonly action: CombinedAttemptLog.Action
  readonly failure?: { readonly kind: string; readonly message: string }
  readonly next?: Provider.Model
  readonly tools?: number
}

/** Logs how an attempt went, once: what follows it (a wait, say) may be cancelled. */
export const record = (
  attempt: CombinedAttempt.Attempt | undefined,
  message: SessionV1.Assistant,
  origin: CombinedOrigin.Origin,
  { action, failure, next, tools }: Conclusion,
) =>
  Effect.suspend(() => {
    if (!attempt || attempt.logged) return Effect.void
    attempt.logged = true
    const { asked, own } = attempt.variant
    const facts: CombinedAttemptLog.Record = {
      start: new Date(attempt.began).toISOString(),
      end: new Date().toISOString(),
      ...(attempt.firstToken !== undefined && { first_token: attempt.firstToken - attempt.began }),
      session: message.sessionID,
      message: message.parentID,
      answer: message.id,
      purpose: message.summary ? "summary" : "step",
      combined: origin.id,
      provider: message.providerID,
      model: message.modelID,
      ...(asked !== undefined && { variant: asked }),
      ...(asked !== own && { own_variant: own ?? null }),
      phase: attempt.phase,
      action,
      ...(failure && { failure: failure.kind, reason: failure.message }),
      ...(tools && { tools }),
      ...(next && { next: `${next.providerID}/${next.id}` }),
      tokens: { input: message.tokens.input, output: message.tokens.output, cache_read: message.tokens.cache.read },
      cost: message.cost,
    }
    CombinedAttemptLog.append(facts)
    return failure ? Effect.logWarning("combined failover", facts) : Effect.void
  })

export * as CombinedConclusion from "./conclusion"
