/** Does what clients ask for below `/combined`, in both lines of OpenCode. */
import { Effect, Schedule } from "effect"
import { CombinedSteer, type Steer } from "../choice/steer"
import { nearest } from "../identity/nearest"
import { CombinedText } from "../text"
import type { CombinedPicture } from "../view/picture"
import { CombinedLive } from "./live"
import { CombinedPool } from "./pool"

/** What a line of OpenCode knows about its sessions. */
type Host<ID extends string, E, R> = {
  /** The members as seen from the session's directory, without what is specific to the session. */
  readonly members: (session: ID | undefined) => Effect.Effect<CombinedPicture.Picture, E, R>
  /** Changes what the user wants in a session. */
  readonly change: (session: ID, change: (steer: Steer) => Steer) => Effect.Effect<Steer, E, R>
  /** The sessions of a session's subagents; an error if there is no such session. */
  readonly children: (session: ID) => Effect.Effect<readonly ID[], E, R>
  /** Makes the error for a member that does not exist. */
  readonly unknown: (message: string) => E
}

export const make = <ID extends string, E, R>({ members, change, children, unknown }: Host<ID, E, R>) => {
  /** The members with this name, in any combined model. */
  const named = Effect.fn("CombinedDesk.named")(function* (name: string, session: ID | undefined) {
    const rows = (yield* members(session)).models.flatMap((model) => model.members)
    const found = rows
      .map((row) => ({ providerID: row.provider.id, modelID: row.model.id }))
      .filter((member) => CombinedSteer.names(name, member))
    if (found.length) return found
    const near = nearest(
      name,
      rows.flatMap((row) => [row.member, row.provider.id]),
    )
    const hint = near ? ` Did you mean ${near}?` : ""
    return yield* Effect.fail(unknown(`No combined model has a member ${CombinedText.shown(name)}.${hint}`))
  })

  /** The session and those of its subagents. */
  const family = (session: ID): Effect.Effect<readonly ID[], E, R> =>
    Effect.gen(function* () {
      const all = yield* Effect.forEach(yield* children(session), family)
      return [session, ...all.flat()]
    })

  return {
    clear: Effect.fn("CombinedDesk.clear")(function* (member: string | undefined) {
      CombinedPool.forget(member === undefined ? undefined : yield* named(member, undefined))
      return yield* members(undefined)
    }),
    pin: Effect.fn("CombinedDesk.pin")(function* (session: ID, member: string | undefined) {
      if (member !== undefined) yield* named(member, session)
      return yield* change(session, (before) => CombinedSteer.pin(before, member))
    }),
    skip: Effect.fn("CombinedDesk.skip")(function* (session: ID, member: string, skip: boolean) {
      yield* named(member, session)
      return yield* change(session, (before) => CombinedSteer.skip(before, member, skip))
    }),
    off: (session: ID, off: boolean) => change(session, (before) => ({ ...before, off })),
    next: Effect.fn("CombinedDesk.next")(function* (session: ID) {
      const all = yield* Effect.forEach(yield* family(session), CombinedLive.pass)
      return {
        running: all.reduce((sum, item) => sum + item.running, 0),
        moved: all.reduce((sum, item) => sum + item.moved, 0),
      }
    }),
  }
}

/** How often the shared file is checked, so that all processes of a user agree within a second. */
const LOOK = "500 millis"

/** Calls `say` whenever the members' health has changed, in any process. Never ends. */
export const watch = <E, R>(say: Effect.Effect<unknown, E, R>) => {
  const known = { stamp: CombinedPool.stamp() }
  return Effect.suspend(() => {
    const stamp = CombinedPool.stamp()
    if (stamp === known.stamp) return Effect.void
    known.stamp = stamp
    return Effect.asVoid(say)
  }).pipe(Effect.repeat(Schedule.spaced(LOOK)))
}

export * as CombinedDesk from "./desk"
