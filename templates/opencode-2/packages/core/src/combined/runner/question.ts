/**
 * The question whether requests may be billed, as a form, which every client of OpenCode 2 shows. `opencode run`
 * answers it by itself. This file has no imports of upstream's services because the command line uses it too.
 */
import { CombinedWords } from "../money/words"
import type { Name } from "../member"

/** The name of the permission in the user's configuration. */
export const PERMISSION = "metered"

const KIND = "combined-metered"

const ALLOW = "allow"

/** The form, in the session that the user opened. */
export const form = (session: string, member: Name) => ({
  sessionID: session,
  title: "Combined models",
  metadata: { kind: KIND },
  fields: [{ key: ALLOW, type: "boolean" as const, title: CombinedWords.question(member) }] as const,
})

type State = { readonly status: string; readonly answer?: Readonly<Record<string, unknown>> }

/** Closing the form means no. */
export const read = ({ status, answer }: State) => (status === "answered" && answer?.[ALLOW] === true ? "yes" : "no")

type Rule = { readonly action: string; readonly effect: "allow" | "deny" | "ask" }

/** What the user's configuration says. Only a rule for this very permission counts, not a wildcard. */
export function ruled(rules: readonly Rule[]) {
  const rule = rules.findLast(({ action }) => action === PERMISSION)
  if (rule === undefined || rule.effect === "ask") return undefined
  return rule.effect === "allow" ? "yes" : "no"
}

type Request = {
  readonly id: string
  readonly sessionID: string
  readonly metadata?: Readonly<Record<string, unknown>>
}

type Forms = {
  readonly reply: (input: {
    readonly sessionID: string
    readonly formID: string
    readonly answer: { readonly [ALLOW]: boolean }
  }) => Promise<unknown>
}

/**
 * Answers the question for `opencode run`, which cannot show it: yes with --auto. Returns whether the form was ours.
 */
export async function answered(forms: Forms, request: Request, auto: boolean) {
  if (request.metadata?.kind !== KIND) return false
  // It may have been answered already.
  await forms
    .reply({ sessionID: request.sessionID, formID: request.id, answer: { [ALLOW]: auto } })
    .catch(() => undefined)
  return true
}

export * as CombinedRunnerQuestion from "./question"
