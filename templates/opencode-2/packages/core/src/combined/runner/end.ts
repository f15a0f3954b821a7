/** How an answer ended that failed. Pure. */
import { LLMError, type ProviderErrorEvent } from "@opencode-ai/ai"
import type { Rule } from "../failure/rules"
import type { CombinedDecide } from "../turn/decide"
import { CombinedRunnerFailure } from "./failure"

export const UNFINISHED: CombinedDecide.Shortcoming = {
  kind: "shortcoming",
  lacks: "finish",
  message: "The answer ended without a finish reason",
}

/** How upstream says that a connection was closed before the answer had an end. */
const WITHOUT_END = /ended without a terminal/

/** For an event that upstream's decoder cannot read. */
const KINDS: CombinedRunnerFailure.Kinds = { InvalidProviderOutput: "server" }

/** An error of a request, or an error event inside its answer. `own` are the user's rows. */
export function read(
  error: LLMError | ProviderErrorEvent,
  own: readonly Rule[],
): Exclude<CombinedDecide.End, { kind: "whole" }> {
  if (error instanceof LLMError && WITHOUT_END.test(error.reason.message)) return UNFINISHED
  return CombinedRunnerFailure.read(error, own, Date.now(), KINDS)
}

export * as CombinedRunnerEnd from "./end"
