/** A turn that waits for a member. */
import { Effect } from "effect"
import { CombinedAnswer } from "../choice/answer"
import type { CombinedRun } from "../choice/run"
import { CombinedWaits } from "../host/waits"
import type { CombinedMember } from "../member"
import type { CombinedRoute } from "../provider/route"
import { CombinedFit } from "../request/fit"
import { CombinedDecide } from "../turn/decide"
import { CombinedNotice } from "../turn/notice"
import type { Turn } from "./turn"

/** How often a waiting turn checks whether the member is back early, in milliseconds: a user can end its cooldown. */
const LOOK = 500

/**
 * Waits for a member and says so. With `combined.wait`, the wait is also stored until it is over, and any member may be
 * back first.
 */
export const wait = Effect.fn("CombinedWaiting.wait")(function* (
  turn: Turn,
  route: CombinedRoute.Route,
  run: CombinedRun.Run,
  purpose: CombinedDecide.Purpose,
  member: CombinedMember.Name,
  span: CombinedDecide.Span & { readonly keep?: boolean },
) {
  const { sessionID, assistantMessage } = turn.ctx
  const cooldown = yield* route.coolingOf(member)
  const reason = cooldown?.message ?? "unavailable"
  const patience = route.settings.wait
  const began = Date.now()
  yield* turn.status.set(sessionID, {
    type: "retry",
    attempt: run.answer.waits.length,
    message: CombinedNotice.waitingLong(member.providerID, span.until, reason, began),
    next: span.until,
  })
  const since = began - CombinedAnswer.waited(run.answer) + span.for
  const waiting = {
    since,
    end: since + (patience?.max ?? 0),
    message: assistantMessage.id,
    kept: span.keep === true,
    failures: run.answer.failures,
  }
  const isBack = Effect.suspend(() => {
    if (!patience) return cooldown ? Effect.map(route.coolingOf(member), (item) => !item) : Effect.succeed(false)
    if (span.long && !CombinedDecide.mayResume(Date.now(), patience)) return Effect.succeed(false)
    return Effect.map(route.next(CombinedFit.wish(route, run, purpose)), (next) => next.type === "serve" && next.fits)
  })
  const beats = { next: 0 }
  while (Date.now() < began + span.for) {
    if (patience && Date.now() >= beats.next) {
      CombinedWaits.keep(sessionID, waiting)
      beats.next = Date.now() + CombinedWaits.BEAT
    }
    yield* Effect.sleep(Math.min(began + span.for - Date.now(), LOOK))
    if (yield* isBack) break
  }
  run.answer = CombinedAnswer.rested(run.answer, Date.now() - began)
  if (patience) CombinedWaits.forget(sessionID)
})

export * as CombinedWaiting from "./waiting"
