/** What the user wants in a session. It is stored in the session's metadata, so it ends with the session. */
import type { Session } from "@/session/session"
import type { SessionID } from "@/session/schema"
import { Effect } from "effect"
import { CombinedSteer, type Steer } from "../choice/steer"

/** The key in the metadata. */
const KEY = "combined"

/** A subagent's session has none of its own: it follows the session that started it. */
const DEEPEST = 20

type Sessions = Pick<Session.Interface, "get">

const lookUp = (sessions: Sessions, id: SessionID, depth: number): Effect.Effect<Steer> =>
  Effect.gen(function* () {
    const session = yield* sessions.get(id)
    const own = session.metadata?.[KEY]
    if (own !== undefined || !session.parentID || depth >= DEEPEST) return CombinedSteer.parse(own)
    return yield* lookUp(sessions, session.parentID, depth + 1)
    // The session may have been deleted in the meantime.
  }).pipe(Effect.catch(() => Effect.succeed({})))

/** What the user wants in a session that no other has started. */
export const own = (session: Pick<Session.Info, "metadata">) => CombinedSteer.parse(session.metadata?.[KEY])

export const of = (sessions: Sessions, id: SessionID) => lookUp(sessions, id, 0)

export const change = Effect.fn("CombinedSteering.change")(function* (
  sessions: Pick<Session.Interface, "get" | "setMetadata">,
  id: SessionID,
  change: (steer: Steer) => Steer,
) {
  const session = yield* sessions.get(id)
  // An empty wish is stored too: a subagent may be freed from what the session that started it wants.
  const steer = CombinedSteer.stored(change(yield* of(sessions, id))) ?? {}
  yield* sessions.setMetadata({ sessionID: id, metadata: { ...session.metadata, [KEY]: steer } })
  return steer
})

export * as CombinedSteering from "./steering"
