/**
 * Discards an attempt: its message is removed, and its cost is moved to the answer that replaces it.
 *
 * Upstream's totals are sums over what is stored: the session's over the records of steps (`step-finish`), that of a
 * client over the messages' `cost`. So the record moves to the next message of the session, and its cost is added there;
 * the `tokens` of a message stay those of its own request, since they tell how full the context is. The lines that say
 * what happened move with it.
 */
import type { Provider } from "@/provider/provider"
import { PartID } from "@/session/schema"
import type { Session } from "@/session/session"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"
import { CombinedRoute } from "../provider/route"
import { CombinedAttempt } from "../request/attempt"
import { CombinedHappening } from "../view/happening"
import { CombinedSettlement } from "./settlement"
import type { Turn } from "./turn"

type Context = {
  readonly sessionID: SessionV1.Assistant["sessionID"]
  readonly assistantMessage: SessionV1.Assistant
  readonly model: Provider.Model
}

type Carried = SessionV1.StepFinishPart | SessionV1.RetryPart

/**
 * Costs of a session, and what happened in it, while its next message does not exist yet. Its run may be cancelled before
 * that, so they belong to the session.
 */
const carried = new Map<string, Carried[]>()

const keep = (sessionID: string, parts: readonly Carried[]) => {
  if (parts.length) carried.set(sessionID, [...(carried.get(sessionID) ?? []), ...parts])
}

/** A line for the transcript: on the next message of the session, or on this one. */
export const tell = Effect.fn("CombinedRetraction.tell")(function* (
  { ctx, session }: Pick<Turn, "session"> & { readonly ctx: Context },
  happening: CombinedHappening.Happening,
  where: "next" | "here",
) {
  const part = {
    id: PartID.ascending(),
    messageID: ctx.assistantMessage.id,
    sessionID: ctx.sessionID,
    type: "retry" as const,
    attempt: 1,
    error: CombinedHappening.error(happening),
    time: { created: happening.at },
  }
  if (where === "next") keep(ctx.sessionID, [part])
  else yield* session.updatePart(part)
})

/** Records the cost of a broken answer on its message, as the end of an answer would. */
export const charge = Effect.fn("CombinedRetraction.charge")(function* (turn: Turn, attempt: CombinedAttempt.Attempt) {
  const spent = attempt.usage ? undefined : CombinedAttempt.spent(attempt)
  if (!spent) return
  const { session, ctx } = turn
  yield* session.updatePart({
    id: PartID.ascending(),
    messageID: ctx.assistantMessage.id,
    sessionID: ctx.sessionID,
    type: "step-finish",
    reason: "unknown",
    ...spent,
  })
  ctx.assistantMessage.cost += spent.cost
  yield* session.updateMessage(ctx.assistantMessage)
})

/** Removes the message of a discarded attempt; upstream's own cleanup has written it again by now. */
export const settle = Effect.fn("CombinedRetraction.settle")(function* (ctx: Context, session: Session.Interface) {
  const route = CombinedRoute.of(ctx.model)
  if (!route?.state.retracted) return
  route.state.retracted = false
  const { sessionID, assistantMessage } = ctx
  const parts = yield* CombinedSettlement.parts(session, assistantMessage)
  const told = parts.filter((part) => part.type === "retry")
  const steps = parts.filter((part) => part.type === "step-finish")
  const charged = steps.filter((part) => part.cost > 0 || part.tokens.input > 0 || part.tokens.output > 0)
  // In the order in which they happened: what is known of this attempt's end is in the list already.
  const later = carried.get(sessionID) ?? []
  carried.delete(sessionID)
  keep(sessionID, [...told, ...later, ...charged])
  // The loop treats a finished message as an answer.
  assistantMessage.finish = undefined
  yield* session.removeMessage({ sessionID, messageID: assistantMessage.id })
})

/** Adds the cost of discarded attempts, and what happened, to the message of the next attempt. */
export const carry = Effect.fn("CombinedRetraction.carry")(function* (ctx: Context, session: Session.Interface) {
  const parts = carried.get(ctx.sessionID)
  if (!parts) return
  carried.delete(ctx.sessionID)
  for (const part of parts) {
    yield* session.updatePart({ ...part, messageID: ctx.assistantMessage.id })
    if (part.type === "step-finish") ctx.assistantMessage.cost += part.cost
  }
  yield* session.updateMessage(ctx.assistantMessage)
})

export * as CombinedRetraction from "./retraction"
