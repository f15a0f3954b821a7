/** Whether a member has room for the conversation. */
import { CombinedRun } from "../choice/run"
import type { CombinedRunnerRoute } from "./route"

/** The most that upstream leaves free for an answer. */
const LONGEST_ANSWER = 32_000

export function fits(run: CombinedRunnerRoute.Run, member: CombinedRunnerRoute.Member) {
  return CombinedRun.mayHold(run, member, room(member)) && room(member) > (run.used ?? 0)
}

/** How many tokens a conversation may have before upstream compacts it; unlimited if unknown. */
export function room({ model: { limit } }: CombinedRunnerRoute.Member) {
  return limit.input ?? (limit.context ? limit.context - Math.min(limit.output, LONGEST_ANSWER) : Infinity)
}

export * as CombinedRunnerFit from "./fit"
