/** The mark on a model that was chosen for a combined one. */
import type { Model } from "@opencode-ai/ai"
import { Context, type Effect } from "effect"
import type { SessionRunnerModel } from "../../session/runner/model"
import type { CombinedRun } from "../choice/run"
import type { CombinedPool } from "../host/pool"
import type { CombinedDecide } from "../turn/decide"
import type { CombinedRunnerCatalogue } from "./catalogue"

/** A run of a session's loop, and what is only known here. */
export type Run = CombinedRun.Run & {
  /** How many tokens the conversation has, as far as it is known. */
  used?: number
  /** What discarded attempts have cost, in dollars: it is in the message that replaces them. */
  owed?: number
}

export type Member = CombinedRunnerCatalogue.Found["members"][number]

export type Route = {
  /** The id behind `combined/`. */
  readonly id: string
  readonly session: string
  readonly member: Member
  readonly members: readonly Member[]
  readonly pool: CombinedPool.Pool
  readonly settings: CombinedPool.Pool["settings"] & Pick<CombinedDecide.Settings, "onRefusal">
  readonly run: Run
  /** The variant that the user asked for, and the member's own for it. */
  readonly variant: { readonly asked: string | undefined; readonly own: string | undefined }
  /** The model of the member to ask next. */
  readonly resolve: (run: Run) => Effect.Effect<SessionRunnerModel.Resolved, SessionRunnerModel.Error>
  /** What served a request outside of a step, where it is not the one that was chosen first. */
  readonly state: { served?: SessionRunnerModel.Resolved }
}

/** The current run of a session. There is none if a model is resolved for something else. */
export const Current = Context.Reference<Run | undefined>("@opencode/CombinedRunnerRoute/Current", {
  defaultValue: () => undefined,
})

const key = Symbol.for("opencode.combined.runner.route")

export function mark(model: Model, route: Route): Model {
  return Object.assign(model, { [key]: route })
}

export function of(model: Model): Route | undefined {
  return (model as Model & { [key]?: Route })[key]
}

export * as CombinedRunnerRoute from "./route"
