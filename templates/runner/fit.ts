/** Whether a member has room for the conversation. */
import { CombinedRun } from "../choice/run"
import type { CombinedRunnerRoute } from "./route"

export function fits(run: CombinedRunnerRoute.Run, member: CombinedRunnerRoute.Member) {
  return CombinedRun.mayHold(run, member, room(member))
}

/** How many tokens a conversation may have; unlimited if unknown. */
export function room({ model }: CombinedRunnerRoute.Member) {
  return model.limit.input ?? (model.limit.context || Infinity)
}

export * as CombinedRunnerFit from "./fit"
