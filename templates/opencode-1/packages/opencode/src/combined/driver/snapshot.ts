/**
 * The snapshot of the user's files with which an attempt begins. Taking one starts git several times, which is most of
 * the time between a failure and the next request, so one that was taken a moment ago, and since when no tool has run,
 * serves once more.
 */
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"

type SessionID = SessionV1.Assistant["sessionID"]

/** What the user changes meanwhile would count as the agent's work, and be undone with it: no longer than a short step. */
const FRESH = 5000

type Taken = { readonly hash: string; readonly at: number }

const taken = new Map<SessionID, Taken>()

/** What an attempt that has begun was given; it grows no younger when it is kept once more. */
const given = new Map<SessionID, Taken>()

/** Keeps a snapshot that was taken at `at` (milliseconds since the epoch) for the attempt that follows. */
export function keep(sessionID: SessionID, hash: string | undefined, at: number) {
  const before = given.get(sessionID)
  if (hash !== undefined) taken.set(sessionID, before?.hash === hash ? before : { hash, at })
}

/** The snapshot for an attempt that begins. */
export const begin = <E, R>(sessionID: SessionID, track: Effect.Effect<string | undefined, E, R>) =>
  Effect.suspend(() => {
    const kept = taken.get(sessionID)
    taken.delete(sessionID)
    given.delete(sessionID)
    const age = kept ? Date.now() - kept.at : Infinity
    if (!kept || age < 0 || age >= FRESH) return track
    given.set(sessionID, kept)
    return Effect.succeed(kept.hash)
  })

export * as CombinedSnapshot from "./snapshot"
