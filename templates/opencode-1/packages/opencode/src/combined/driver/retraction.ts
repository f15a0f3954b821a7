/**
 * Discards an attempt: its message is removed, and its cost is moved to the answer that replaces it.
 *
 * Upstream's totals are sums over what is stored: the session's over the records of steps (`step-finish`), that of a
 * client over the messages' `cost`. So the record moves to the next message of the session, and its cost is added there;
 * the `tokens` of a message stay those of its own request, since they tell how full the context is.
 */
import type { Provider } from "@/provider/provider"
import { PartID } from "@/session/schema"
import type { Session } from "@/session/session"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"
import { CombinedRoute } from "../provider/route"
import { CombinedAttempt } from "../request/attempt"
import { CombinedSettlement } from "./settlement"
import type { Turn } from "./turn"

type Context = {
  readonly sessionID: SessionV1.Assistant["sessionID"]
  readonly assistantMessage: SessionV1.Assistant
  readonly model: Provider.Model
}

/**
 * Costs of a session whose next message does not exist yet. Its run may be cancelled before that, so they belong to
 * the session.
 */
const unpaid = new Map<string, SessionV1.StepFinishPart[]>()

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
  const steps = (yield* CombinedSettlement.parts(session, assistantMessage)).filter(
    (part) => part.type === "step-finish",
  )
  const charged = steps.filter((part) => part.cost > 0 || part.tokens.input > 0 || part.tokens.output > 0)
  if (charged.length) unpaid.set(sessionID, [...(unpaid.get(sessionID) ?? []), ...charged])
  // The loop treats a finished message as an answer.
  assistantMessage.finish = undefined
  yield* session.removeMessage({ sessionID, messageID: assistantMessage.id })
})

/** Adds the cost of discarded attempts to the message of the next attempt. */
export const carry = Effect.fn("CombinedRetraction.carry")(function* (ctx: Context, session: Session.Interface) {
  const charged = unpaid.get(ctx.sessionID)
  if (!charged) return
  unpaid.delete(ctx.sessionID)
  for (const part of charged) {
    yield* session.updatePart({ ...part, messageID: ctx.assistantMessage.id })
    ctx.assistantMessage.cost += part.cost
  }
  yield* session.updateMessage(ctx.assistantMessage)
})

export * as CombinedRetraction from "./retraction"
