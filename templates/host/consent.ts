/**
 * What the user answered in a session when asked whether requests may be billed. It is forgotten when the process ends.
 */
import { Deferred, Effect } from "effect"

export type Answer = "yes" | "no"

type Known = { readonly answer?: Answer; readonly pending?: Deferred.Deferred<void>; readonly told?: boolean }

/** The key is the session that the user opened. */
const sessions = new Map<string, Known>()

const MOST = 1000

function remember(session: string, known: Known) {
  sessions.set(session, { ...sessions.get(session), ...known })
  if (sessions.size > MOST) sessions.delete([...sessions.keys()][0])
}

/** What the user answered in this session; undefined if nothing yet. */
export function said(session: string | undefined) {
  return session === undefined ? undefined : sessions.get(session)?.answer
}

/**
 * Asks the user. If a subagent or the title of this session is asking right now, waits for that answer instead. `put`
 * shows the question.
 */
export const ask = (session: string, put: Effect.Effect<Answer>): Effect.Effect<Answer> =>
  Effect.suspend(() => {
    const known = sessions.get(session)
    if (known?.answer) return Effect.succeed(known.answer)
    // If there is still no answer then, the request that asked was cancelled: ask again.
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

/** Whether to tell the user now: true once when `now` becomes true in this session, and again after it was false. */
export function tells(session: string, now: boolean) {
  const before = sessions.get(session)?.told ?? false
  if (before !== now) remember(session, { told: now })
  return now && !before
}

export * as CombinedConsent from "./consent"
