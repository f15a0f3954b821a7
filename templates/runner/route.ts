/** How a model of the new runner was chosen for a combined model, and what is known for its request. */
import { Context } from "effect"
import type { CombinedRun } from "../choice/run"
import type { CombinedPool } from "../host/pool"
import type { CombinedRunnerListing } from "./listing"

export { Current, mark, of } from "./mark"

export type Run = CombinedRun.Run

export type Member = CombinedRunnerListing.Member

export type Route = {
  /** The part of the model's id after `combined/`. */
  readonly id: string
  readonly session: string
  readonly member: Member
  readonly members: readonly Member[]
  readonly pool: CombinedPool.Pool
  readonly run: Run
}

/**
 * How often upstream repeats a refused request by itself. Upstream reads it by this name
 * (patches/opencode-1/second-api.patch).
 */
export const Retries = Context.Reference<number>("@opencode/combined/Retries", { defaultValue: () => 2 })

export * as CombinedRunnerRoute from "./route"
