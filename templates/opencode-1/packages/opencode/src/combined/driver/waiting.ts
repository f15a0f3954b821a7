/** Waiting for a member that is out. It ends by itself: a turn never waits for long in one go, nor often. */
import { Effect } from "effect"
import type { CombinedRoute } from "../provider/route"
import { CombinedProgress } from "./progress"
import { CombinedNotice } from "../turn/notice"
import type { Turn } from "./turn"

export const LONGEST = 60_000
const MOST = 3

type Out = Extract<CombinedRoute.Next, { type: "wait" }>["out"][number]

/** For how many milliseconds the answer to a user's message may still wait for a member. */
export function patience(parentID: string | undefined) {
  return CombinedProgress.peek(parentID).waits < MOST ? LONGEST : 0
}

/** How long this one would be waited for; undefined when that is too long. */
export function span(out: Out | undefined, parentID: string) {
  if (!out) return undefined
  const wait = Math.max(0, out.cooldown.until - Date.now())
  return wait <= patience(parentID) ? wait : undefined
}

export const wait = Effect.fn("CombinedWaiting.wait")(function* (
  turn: Turn,
  origin: CombinedRoute.Origin,
  { member, cooldown }: Out,
  milliseconds: number,
) {
  const progress = CombinedProgress.of(turn.ctx.assistantMessage.parentID)
  progress.waits++
  yield* turn.status.set(turn.ctx.sessionID, {
    type: "retry",
    attempt: progress.waits,
    message: `${CombinedNotice.SWITCH}all providers of ${origin.id} are out, ${member.providerID} is the first to return: ${cooldown.message}`,
    next: cooldown.until,
  })
  yield* Effect.sleep(milliseconds)
})

/** Before an attempt: all may be out already. One that stays out for long is asked all the same, it may be well again. */
export const begin = Effect.fn("CombinedWaiting.begin")(function* (
  turn: Turn,
  origin: CombinedRoute.Origin,
  others: Effect.Effect<boolean>,
) {
  const cooldown = yield* origin.cooling
  // It may have gone out just now, at another request: then this one finds the next member soon enough.
  if (!cooldown || (yield* others)) return
  const { providerID, modelID, parentID } = turn.ctx.assistantMessage
  const out = { member: { providerID, modelID }, cooldown }
  const milliseconds = span(out, parentID)
  if (milliseconds !== undefined) yield* wait(turn, origin, out, milliseconds)
})

export * as CombinedWaiting from "./waiting"
