/**
 * The attempts that are running, so that a user can end one ("next provider now"). An entry lives as long as its
 * attempt.
 */
import { Deferred, Effect } from "effect"
import { CombinedMember } from "../member"
import type { CombinedDecide } from "../turn/decide"

export const PASSED: CombinedDecide.Passed = { kind: "passed", message: "you asked for the next provider" }

/** Raised in an attempt that the user has ended. */
export class Passed extends Error {
  readonly end = PASSED

  constructor() {
    super("The user asked for the next provider")
    this.name = "Passed"
  }
}

type Live = {
  readonly member: string
  /** Ends the attempt, if another member can answer. Returns whether it did. */
  readonly pass: Effect.Effect<boolean>
}

type Subject = {
  readonly sessionID: string
  readonly member: CombinedMember.Name
  readonly others: Effect.Effect<boolean>
}

const attempts = new Map<string, Set<Live>>()

export type Open = {
  /** Fails when the user asks for the next provider; never ends otherwise. */
  readonly passed: Effect.Effect<never, Passed>
  readonly close: Effect.Effect<void>
}

/** Registers an attempt until it is closed. */
export const open = ({ sessionID, member, others }: Subject): Effect.Effect<Open> =>
  Effect.gen(function* () {
    const passed = yield* Deferred.make<never, Passed>()
    // `others` needs the services of this instance of OpenCode, which the caller of `pass` may not have.
    const context = yield* Effect.context()
    const live: Live = {
      member: CombinedMember.key(member),
      pass: others.pipe(
        Effect.flatMap((some) => (some ? Deferred.fail(passed, new Passed()) : Effect.succeed(false))),
        Effect.provideContext(context),
      ),
    }
    const known = attempts.get(sessionID) ?? new Set()
    attempts.set(sessionID, known.add(live))
    return {
      passed: Deferred.await(passed),
      close: Effect.sync(() => {
        known.delete(live)
        if (!known.size && attempts.get(sessionID) === known) attempts.delete(sessionID)
      }),
    }
  })

/** Runs an attempt until it ends, or until the user asks for the next provider. */
export const during = <A, E, R>(attempt: Effect.Effect<A, E, R>, subject: Subject): Effect.Effect<A, E | Passed, R> =>
  Effect.flatMap(open(subject), ({ passed, close }) => Effect.raceFirst(attempt, passed).pipe(Effect.ensuring(close)))

/** The members that are being asked right now in a session. */
export function asked(sessionID: string) {
  return [...(attempts.get(sessionID) ?? [])].map((item) => item.member)
}

/** Moves the running attempts of the session to the next member. Returns how many run, and how many have moved. */
export const pass = (sessionID: string) =>
  Effect.map(
    Effect.forEach([...(attempts.get(sessionID) ?? [])], (item) => item.pass),
    (all) => ({ running: all.length, moved: all.filter((moved) => moved).length }),
  )

export * as CombinedLive from "./live"
