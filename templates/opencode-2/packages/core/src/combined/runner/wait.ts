/**
 * A step that waits for a member. With `combined.wait` it may take hours, so the wait is noted on disk: if OpenCode's
 * service ends meanwhile, the next one continues the turn under the same message. Upstream resumes the turns that a
 * service noted as suspended when it ended. If its process was killed, it could not; then we note the wait as suspended
 * here.
 */
import { Effect } from "effect"
import { SessionMessage } from "../../session/message"
import { SessionSchema } from "../../session/schema"
import { CombinedAnswer } from "../choice/answer"
import { CombinedWaits } from "../host/waits"
import { CombinedDecide } from "../turn/decide"
import { CombinedRunnerMembers } from "./members"
import type { CombinedRunnerRoute } from "./route"

/** How often a waiting step checks whether a member is back early, in milliseconds: a user can end its cooldown. */
const LOOK = 500

/** The sessions of this process whose wait is noted on disk. */
const noted = new Set<string>()

/** Waits until the time is over or a member is back. `kept` says whether the message has finished tools. */
export const wait = Effect.fn("CombinedRunnerWait.wait")(function* (
  route: CombinedRunnerRoute.Route,
  span: CombinedDecide.Span,
  { message, kept }: { readonly message: SessionMessage.ID | undefined; readonly kept: boolean },
) {
  const { pool, run, member, members, session } = route
  const patience = route.settings.wait
  const began = Date.now()
  const since = began - CombinedAnswer.waited(run.answer) + span.for
  const { failures } = run.answer
  const cools = pool.cooling(member) !== undefined
  const isBack = () => {
    if (!patience) return cools && !pool.cooling(member)
    if (span.long && !CombinedDecide.mayResume(Date.now(), patience)) return false
    const wish = CombinedRunnerMembers.wish(run, members)
    const choice = pool.choose(CombinedRunnerMembers.allowed(route), { ...wish, owner: route })
    return choice.type === "serve" && choice.fits
  }
  const beats = { next: 0 }
  while (Date.now() < began + span.for) {
    if (patience && message !== undefined && Date.now() >= beats.next) {
      noted.add(session)
      CombinedWaits.keep(session, { since, end: since + patience.max, message, kept, failures })
      beats.next = Date.now() + CombinedWaits.BEAT
    }
    yield* Effect.sleep(Math.max(0, Math.min(began + span.for - Date.now(), LOOK)))
    if (isBack()) break
  }
  run.answer = CombinedAnswer.rested(run.answer, Date.now() - began)
  forget(session)
})

function forget(session: string) {
  if (noted.delete(session)) CombinedWaits.forget(session)
}

type Outcome = { readonly type: string; readonly reason?: string }

/** A turn has ended. If the user cancelled it, it must not continue later; if the service is shutting down, it must. */
export function settled(session: string, { type, reason }: Outcome) {
  if (type !== "interrupted" || reason !== "shutdown") forget(session)
}

/** The part of upstream's session store that we use. */
type Store = {
  readonly get: (id: SessionSchema.ID) => Effect.Effect<Pick<SessionSchema.Info, "parentID"> | undefined>
  readonly suspend: (ids: readonly SessionSchema.ID[]) => Effect.Effect<void>
}

/** Called before a service resumes suspended turns: adds the waits whose process was killed. */
export const suspend = Effect.fn("CombinedRunnerWait.suspend")(function* (store: Store) {
  const ids = CombinedWaits.allAbandoned().map((id) => SessionSchema.ID.make(id))
  const found = yield* Effect.filter(ids, (id) =>
    // A subagent's wait is lost, together with the tool call that its parent made.
    Effect.map(store.get(id), (info) => info !== undefined && !info.parentID && CombinedWaits.take(id) !== undefined),
  )
  yield* store.suspend(found)
})

/** What a run continues with if its turn was waiting when its process ended. A new prompt ends such a wait. */
export function resumed(session: string) {
  const found = CombinedWaits.takenOver(session)
  if (!found && CombinedWaits.abandoned(session)) CombinedWaits.forget(session)
  if (!found) return undefined
  CombinedWaits.forget(session)
  return {
    answer: CombinedAnswer.resumed(found.failures, Date.now() - found.since),
    message: found.kept ? undefined : SessionMessage.ID.make(found.message),
  }
}

export * as CombinedRunnerWait from "./wait"
