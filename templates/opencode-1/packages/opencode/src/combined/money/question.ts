/**
 * The question whether requests may be billed. It uses upstream's own questions, so the TUI, the web, editors and
 * `opencode run` (which says no to everything) each answer in their own way.
 */
import type { Permission } from "@/permission"
import type { SessionID } from "@/session/schema"
import { Effect } from "effect"
import type { Answer } from "../host/consent"

/** The name of the permission; the same in the user's configuration. */
export const PERMISSION = "metered"

export type Question = {
  readonly session: string
  readonly permission: Permission.Interface
  /** The rules of the agent and the session. Only rules for this very permission count, not wildcards. */
  readonly rules: Parameters<Permission.Interface["ask"]>[0]["ruleset"]
  readonly text: string
}

export const put = ({ session, permission, rules, text }: Question): Effect.Effect<Answer> =>
  permission
    .ask({
      sessionID: session as SessionID,
      permission: PERMISSION,
      patterns: [text],
      always: ["*"],
      metadata: { question: text },
      ruleset: rules.filter((rule) => rule.permission === PERMISSION),
    })
    .pipe(Effect.match({ onSuccess: (): Answer => "yes", onFailure: (): Answer => "no" }))

export * as CombinedQuestion from "./question"
