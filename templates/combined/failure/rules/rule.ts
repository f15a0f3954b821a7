import type { Fault, Forgone, Scope } from "../classify"

/** All that a rule names must hold; `code` and `text` are two ways to say one thing, of which one is enough. */
export type Rule = {
  readonly kind: Fault["kind"]
  readonly scope: Scope
  readonly status?: readonly number[]
  /** Codes, types, names and reasons, without regard to case. MiniMax' own numbers are written `base_resp:2056`. */
  readonly code?: readonly string[]
  /** Matched against each sentence and code of the error. */
  readonly text?: RegExp
  /** Where one of the sentences says this, the rule does not hold. */
  readonly except?: RegExp
  /** The answer is a page for a browser. */
  readonly page?: boolean
  readonly lasting?: boolean
  /** What a member of kind "history" is asked without. */
  readonly forgo?: Forgone
  readonly long?: boolean
  /** The zone of dates that name none. */
  readonly zone?: string
  readonly source: string
}
