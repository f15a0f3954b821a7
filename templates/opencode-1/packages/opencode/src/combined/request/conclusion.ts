/** Concludes an attempt: writes what happened as one record to the log. */
import type { Provider } from "@/provider/provider"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"
import { CombinedAttempt } from "./attempt"
import { CombinedLog } from "../host/log"
import type { CombinedRoute } from "../provider/route"

export type Conclusion = {
  readonly action: CombinedLog.Action
  readonly failure?: { readonly kind: string; readonly message: string }
  readonly next?: Provider.Model
  readonly tools?: number
}

/** What was requested. */
export type Subject = Pick<CombinedLog.Record, "session" | "message" | "answer" | "purpose" | "provider" | "model">

const NOTHING = { tokens: { input: 0, output: 0, cache: { read: 0 } }, cost: 0 }

/** Logs how an attempt at an answer went. */
export const record = (
  attempt: CombinedAttempt.Attempt,
  message: SessionV1.Assistant,
  route: CombinedRoute.Route,
  conclusion: Conclusion,
) => write(attempt, answering(message), route, conclusion)

const answering = (message: SessionV1.Assistant): Subject => ({
  session: message.sessionID,
  message: message.parentID,
  answer: message.id,
  purpose: message.summary ? "summary" : "step",
  provider: message.providerID,
  model: message.modelID,
})

/** Logs how an attempt went, once, and before what follows: that (such as a wait) may be cancelled. */
export const write = (
  attempt: CombinedAttempt.Attempt,
  subject: Subject,
  route: CombinedRoute.Route,
  { action, failure, next, tools }: Conclusion,
) =>
  Effect.suspend(() => {
    if (attempt.logged) return Effect.void
    attempt.logged = true
    const { asked, own } = attempt.variant
    const { tokens, cost } = CombinedAttempt.spent(attempt) ?? NOTHING
    const facts: CombinedLog.Record = {
      start: new Date(attempt.began).toISOString(),
      end: new Date().toISOString(),
      ...(attempt.firstToken !== undefined && { first_token: attempt.firstToken - attempt.began }),
      ...subject,
      combined: route.id,
      ...(route.instead !== undefined && { instead_of: route.instead }),
      ...(asked !== undefined && { variant: asked }),
      ...(asked !== own && { own_variant: own ?? null }),
      phase: attempt.phase,
      action,
      ...(failure && { failure: failure.kind, reason: failure.message }),
      ...(tools && { tools }),
      ...(next && { next: `${next.providerID}/${next.id}` }),
      tokens: { input: tokens.input, output: tokens.output, cache_read: tokens.cache.read },
      cost,
    }
    CombinedLog.append(facts)
    return failure ? Effect.logWarning("combined failover", facts) : Effect.void
  })

export * as CombinedConclusion from "./conclusion"
