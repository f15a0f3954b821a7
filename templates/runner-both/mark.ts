/** Marks a model that was chosen for a combined model. */
import { Context } from "effect"
import type { Route, Run } from "./route"
import type { Model } from "./upstream/llm"

/** The current run. There is none if a model is resolved outside of a step. */
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
