/** What the user wants in a session. It is stored in the session's metadata, so it ends with the session. */
import { Effect } from "effect"
import { CombinedSteer, type Steer } from "../choice/steer"

/** Our key in the metadata. */
const KEY = "combined"

/** A subagent's session without wishes of its own follows the session that started it, up to this many levels. */
const DEEPEST = 20

type Metadata = Record<string, unknown>

type Sessions<ID, E> = {
  readonly get: (id: ID) => Effect.Effect<{ readonly metadata?: Metadata; readonly parentID?: ID }, E>
}

type Writable<ID, E> = Sessions<ID, E> & {
  readonly setMetadata: (input: { sessionID: ID; metadata: Metadata }) => Effect.Effect<void>
}

const lookUp = <ID, E>(sessions: Sessions<ID, E>, id: ID, depth: number): Effect.Effect<Steer> =>
  Effect.gen(function* () {
    const session = yield* sessions.get(id)
    const own = session.metadata?.[KEY]
    if (own !== undefined || !session.parentID || depth >= DEEPEST) return CombinedSteer.parse(own)
    return yield* lookUp(sessions, session.parentID, depth + 1)
    // The session may have been deleted in the meantime.
  }).pipe(Effect.catch(() => Effect.succeed({})))

/** What the user wants in a session that was not started by another one. */
export const own = (session: { readonly metadata?: Metadata }) => CombinedSteer.parse(session.metadata?.[KEY])

export const of = <ID, E>(sessions: Sessions<ID, E>, id: ID) => lookUp(sessions, id, 0)

export const change = <ID, E>(sessions: Writable<ID, E>, id: ID, change: (steer: Steer) => Steer) =>
  Effect.gen(function* () {
    const session = yield* sessions.get(id)
    // Empty wishes are stored too, so that a subagent can be freed from those of the session that started it.
    const steer = CombinedSteer.stored(change(yield* of(sessions, id))) ?? {}
    yield* sessions.setMetadata({ sessionID: id, metadata: { ...session.metadata, [KEY]: steer } })
    return steer
  }).pipe(Effect.withSpan("CombinedSteering.change"))

export * as CombinedSteering from "./steering"
