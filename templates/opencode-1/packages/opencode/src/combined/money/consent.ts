/**
 * What the user said in a session when asked whether requests may be billed. Nothing of it outlives the process.
 *
 * Upstream's own questions are used, so that the TUI, the web, editors and `opencode run` (which says no to everything)
 * answer in their own way.
 */
import type { Permission } from "@/permission"
import type { SessionID } from "@/session/schema"
import { Deferred, Effect } from "effect"

export type Answer = "yes" | "no"

/** The name of the permission, also in the user's configuration. */
export const PERMISSION = "metered"

type Known = { readonly answer?: Answer; readonly pending?: Deferred.Deferred<void>; readonly told?: boolean }

/** By the session that the user opened. */
const sessions = new Map<string, Known>()

const MOST = 1000

function remember(session: string, known: Known) {
  sessions.set(session, { ...sessions.get(session), ...known })
  if (sessions.size > MOST) sessions.delete([...sessions.keys()][0])
}

export type Question = {
  readonly session: string
  readonly permission: Permission.Interface
  /** The rules of the agent and of the session. Only those for this very permission count, not those for any. */
  readonly rules: Parameters<Permission.Interface["ask"]>[0]["ruleset"]
  readonly text: string
}

/** What was said in this session; undefined if nothing was. */
export function said(session: string | undefined) {
  return session === undefined ? undefined : sessions.get(session)?.answer
}

/** Asks, or waits for the answer to the question that a subagent or the title of this session has asked just now. */
export const ask = (question: Question): Effect.Effect<Answer> =>
  Effect.suspend(() => {
    const known = sessions.get(question.session)
    if (known?.answer) return Effect.succeed(known.answer)
    // Without an answer whoever asked was cancelled.
    if (known?.pending) return Deferred.await(known.pending).pipe(Effect.andThen(ask(question)))
    const pending = Deferred.makeUnsafe<void>()
    remember(question.session, { pending })
    return question.permission
      .ask({
        sessionID: question.session as SessionID,
        permission: PERMISSION,
        patterns: [question.text],
        always: ["*"],
        metadata: { question: question.text },
        ruleset: question.rules.filter((rule) => rule.permission === PERMISSION),
      })
      .pipe(
        Effect.match({ onSuccess: (): Answer => "yes", onFailure: (): Answer => "no" }),
        Effect.tap((answer) => Effect.sync(() => remember(question.session, { answer }))),
        Effect.ensuring(
          Effect.sync(() => {
            remember(question.session, { pending: undefined })
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
