/** What the user wants in a session. */
import { Effect } from "effect"
import type { SessionSchema } from "../../session/schema"
import type { Steer } from "../choice/steer"
import { CombinedSteering } from "../host/steering"

type Sessions = Parameters<typeof CombinedSteering.of<SessionSchema.ID, Error>>[0]

const known: { sessions?: Sessions } = {}

/** The server calls this with its store of sessions. Without a server, there are no wishes. */
export function open(sessions: Sessions) {
  known.sessions = sessions
}

export const of = (id: SessionSchema.ID): Effect.Effect<Steer> =>
  Effect.suspend(() => (known.sessions ? CombinedSteering.of(known.sessions, id) : Effect.succeed({})))

export * as CombinedRunnerSteering from "./steering"
