/** The mark on a model of the new runner that was chosen for a combined one. */
import type { Model } from "@opencode-ai/llm"
import { Context } from "effect"
import type { CombinedRun } from "../choice/run"
import type { CombinedPool } from "../host/pool"
import type { CombinedRunnerCatalogue } from "./catalogue"

export type Member = CombinedRunnerCatalogue.Found["members"][number]

export type Route = {
  /** The id behind `combined/`. */
  readonly id: string
  readonly session: string
  readonly member: Member
  readonly members: readonly Member[]
  readonly pool: CombinedPool.Pool
  readonly run: CombinedRun.Run
}

/** The current step. There is none if a model is resolved for something else. */
export const Current = Context.Reference<CombinedRun.Run | undefined>("@opencode/CombinedRunnerRoute/Current", {
  defaultValue: () => undefined,
})

/** How often upstream repeats a refused request by itself. It looks for this name (patches/opencode-1/second-api.patch). */
export const Retries = Context.Reference<number>("@opencode/combined/Retries", { defaultValue: () => 2 })

const key = Symbol.for("opencode.combined.runner.route")

export function mark(model: Model, route: Route): Model {
  return Object.assign(model, { [key]: route })
}

export function of(model: Model): Route | undefined {
  return (model as Model & { [key]?: Route })[key]
}

export * as CombinedRunnerRoute from "./route"
