/**
 * Discards an attempt: its message is removed, and its cost is moved to the answer that replaces it.
 *
 * Upstream's totals are sums over what is stored. The session's total sums the records of steps (`step-finish`), a
 * client's total sums the messages' `cost`. So the record moves to the next message of the session, and its cost is
 * added there. A message's `tokens` stay those of its own request, because they show how full the context is. The lines
 * about what happened move as well.
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
 * Costs of a session, and lines about what happened in it, until its next message exists. They belong to the session,
 * because its run may be cancelled before that.
 */
const carried = new Map<string, Carried[]>()

const keep = (sessionID: string, parts: readonly Carried[]) => {
  if (parts.length) carried.set(sessionID, [...(carried.get(sessionID) ?? []), ...parts])
}

/** Puts a line into the transcript: on the next message of the session, or on this one. */
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

/** Records the cost of a broken answer on its message, as a proper end of the answer would. */
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

/** Removes the message of a discarded attempt. By now, upstream's own cleanup has written it again. */
export const settle = Effect.fn("CombinedRetraction.settle")(function* (ctx: Context, session: Session.Interface) {
  const route = CombinedRoute.of(ctx.model)
  if (!route?.state.retracted) return
  route.state.retracted = false
  const { sessionID, assistantMessage } = ctx
  const parts = yield* CombinedSettlement.parts(session, assistantMessage)
  const told = parts.filter((part) => part.type === "retry")
  const steps = parts.filter((part) => part.type === "step-finish")
  const charged = steps.filter((part) => part.cost > 0 || part.tokens.input > 0 || part.tokens.output > 0)
  // Keep the order in which things happened. What is known about this attempt's end is already in the list.
  const later = carried.get(sessionID) ?? []
  carried.delete(sessionID)
  keep(sessionID, [...told, ...later, ...charged])
  // The loop treats a finished message as an answer.
  assistantMessage.finish = undefined
  yield* session.removeMessage({ sessionID, messageID: assistantMessage.id })
})

/** Adds the cost of discarded attempts, and the lines about what happened, to the message of the next attempt. */
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
