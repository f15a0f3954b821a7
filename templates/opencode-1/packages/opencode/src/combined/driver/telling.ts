/** Tells the user what happens to the members of a session: on the screen, in `opencode run`, and in the transcript. */
import type { Provider } from "@/provider/provider"
import { Effect } from "effect"
import { CombinedVariant } from "../choice/variant"
import type { CombinedMember } from "../member"
import { CombinedRoute } from "../provider/route"
import { CombinedNotice } from "../turn/notice"
import { CombinedHappening } from "../view/happening"
import { CombinedRetraction } from "./retraction"
import type { Turn } from "./turn"

/** Tells the screen, `opencode run` and clients of the server's events which member takes over, and why. */
export const announce = Effect.fn("CombinedTelling.announce")(function* (
  turn: Turn,
  route: CombinedRoute.Route,
  former: CombinedMember.Name,
  reason: string,
  next: Provider.Model,
  where: "next" | "here",
) {
  const variant = CombinedVariant.lost(turn.streamInput.user.model.variant, CombinedRoute.of(next)?.variants)
  const model = CombinedRoute.isSameModel(turn.streamInput.model, next) ? undefined : next.name
  const to = { providerID: next.providerID, modelID: next.id }
  yield* turn.status.set(turn.ctx.sessionID, {
    type: "retry",
    attempt: 1,
    message: CombinedNotice.switched(former.providerID, reason, { providerID: next.providerID, variant, model }),
    next: Date.now(),
  })
  yield* happen(turn, CombinedHappening.moved(subject(route), former, to, reason, { variant, model }), where)
})

export const subject = ({ id, nameOf }: CombinedRoute.Route) => ({ combined: id, nameOf, now: Date.now() })

/** Tells clients what happened, and leaves a line in the transcript. */
export const happen = (turn: Turn, happening: CombinedHappening.Happening, where: "next" | "here") =>
  turn.tell(happening).pipe(Effect.andThen(CombinedRetraction.tell(turn, happening, where)))

/**
 * Says that the same member is asked again, in the form of upstream's own retries, because the web UI shows nothing
 * else.
 */
export const repeat = Effect.fn("CombinedTelling.repeat")(function* (
  turn: Turn,
  route: CombinedRoute.Route,
  reason: string,
  pause: number,
) {
  const happening = CombinedHappening.repeated(subject(route), route.member, reason)
  const next = Date.now() + pause
  yield* turn.status.set(turn.ctx.sessionID, { type: "retry", attempt: 1, message: happening.message, next })
  yield* happen(turn, happening, "next")
})

/** Says in the same form that requests are billed from here on. */
export const say = (turn: Turn, message: string) =>
  turn.status.set(turn.ctx.sessionID, { type: "retry", attempt: 1, message, next: Date.now() })

export * as CombinedTelling from "./telling"
