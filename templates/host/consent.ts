/** What the user said in a session when asked whether requests may be billed. Nothing of it outlives the process. */
import { Deferred, Effect } from "effect"

export type Answer = "yes" | "no"

type Known = { readonly answer?: Answer; readonly pending?: Deferred.Deferred<void>; readonly told?: boolean }

/** By the session that the user opened. */
const sessions = new Map<string, Known>()

const MOST = 1000

function remember(session: string, known: Known) {
  sessions.set(session, { ...sessions.get(session), ...known })
  if (sessions.size > MOST) sessions.delete([...sessions.keys()][0])
}

/** What was said in this session; undefined if nothing was. */
export function said(session: string | undefined) {
  return session === undefined ? undefined : sessions.get(session)?.answer
}

/**
 * Asks, or waits for the answer to the question that a subagent or the title of this session has asked just now. `put`
 * shows the question to the user.
 */
export const ask = (session: string, put: Effect.Effect<Answer>): Effect.Effect<Answer> =>
  Effect.suspend(() => {
    const known = sessions.get(session)
    if (known?.answer) return Effect.succeed(known.answer)
    // If there is still no answer, whoever asked was cancelled.
    if (known?.pending) return Deferred.await(known.pending).pipe(Effect.andThen(ask(session, put)))
    const pending = Deferred.makeUnsafe<void>()
    remember(session, { pending })
    return put.pipe(
      Effect.tap((answer) => Effect.sync(() => remember(session, { answer }))),
      Effect.ensuring(
        Effect.sync(() => {
          remember(session, { pending: undefined })
          Deferred.doneUnsafe(pending, Effect.void)
        }),
      ),
    )
  })

/** Whether this is the first time that it is said in this session; where it no longer holds it may be said again. */
export function tells(session: string, now: boolean) {
  const before = sessions.get(session)?.told ?? false
  if (before !== now) remember(session, { told: now })
  return now && !before
}

export * as CombinedConsent from "./consent"
