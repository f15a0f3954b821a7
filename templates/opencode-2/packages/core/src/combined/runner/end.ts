/** How an answer ended that failed. Pure. */
import type { Rule } from "../failure/rules"
import type { CombinedDecide } from "../turn/decide"
import { CombinedRunnerFailure } from "./failure"
import { LLMError, isWithoutEnd, type ProviderErrorEvent } from "./upstream/llm"

export const UNFINISHED: CombinedDecide.Shortcoming = {
  kind: "shortcoming",
  lacks: "finish",
  message: "The answer ended without a finish reason",
}

/** For an event that upstream's decoder cannot read. */
const KINDS: CombinedRunnerFailure.Kinds = { InvalidProviderOutput: "server" }

/** An error of a request, or an error event inside its answer. `own` are the user's rows. */
export function read(
  error: LLMError | ProviderErrorEvent,
  own: readonly Rule[],
): Exclude<CombinedDecide.End, { kind: "whole" }> {
  if (error instanceof LLMError && isWithoutEnd(error)) return UNFINISHED
  return CombinedRunnerFailure.read(error, own, Date.now(), KINDS)
}

export * as CombinedRunnerEnd from "./end"
