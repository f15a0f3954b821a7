/** Reads how a failed answer ended. Pure. */
import type { Rule } from "../failure/rules"
import type { CombinedDecide } from "../turn/decide"
import { CombinedRunnerFailure } from "./failure"
import { LLMError, isWithoutEnd, type ProviderErrorEvent } from "./upstream/llm"

/** An answer that ended without a finish reason; `begun` tells whether anything of it came. */
export const unfinished = (begun: boolean): CombinedDecide.Shortcoming =>
  begun
    ? { kind: "shortcoming", lacks: "finish", message: "The answer ended without a finish reason" }
    : { kind: "shortcoming", lacks: "all", message: "The answer ended before it began" }

/** Used if upstream's decoder cannot read an event. */
const KINDS: CombinedRunnerFailure.Kinds = { InvalidProviderOutput: "server" }

/**
 * Reads an error of a request, or an error event inside its answer. `own` are the user's rules; `begun` tells whether
 * anything of the answer came.
 */
export function read(
  error: LLMError | ProviderErrorEvent,
  own: readonly Rule[],
  begun: boolean,
): Exclude<CombinedDecide.End, { kind: "whole" }> {
  if (error instanceof LLMError && isWithoutEnd(error)) return unfinished(begun)
  return CombinedRunnerFailure.read(error, own, Date.now(), KINDS)
}

export * as CombinedRunnerEnd from "./end"
