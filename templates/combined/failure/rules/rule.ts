import type { Fault, Forgone, Scope } from "../classify"

/** Everything that a rule names must match; of `code` and `text`, one is enough. */
export type Rule = {
  readonly kind: Fault["kind"]
  readonly scope: Scope
  readonly status?: readonly number[]
  /** Codes, types, names and reasons, ignoring case. MiniMax' own numbers are written `base_resp:2056`. */
  readonly code?: readonly string[]
  /** Matched against each sentence and code of the error. */
  readonly text?: RegExp
  /** If one of the sentences matches this, the rule does not apply. */
  readonly except?: RegExp
  /** The answer is an HTML page. */
  readonly page?: boolean
  readonly lasting?: boolean
  /** For kind "history": what the member is asked without. */
  readonly forgo?: Forgone
  readonly long?: boolean
  /** The zone of dates without one. */
  readonly zone?: string
  readonly source: string
}
