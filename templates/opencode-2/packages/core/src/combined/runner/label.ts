/** The name of a model on the screen. Pure, and without imports. */

type Ref = { readonly providerID: string; readonly id: string }

/** Adds the provider if there are combined models, since the same model may then come from several providers. */
export function suffix(served: Ref, models: readonly Ref[]) {
  return models.some((model) => model.providerID === "combined") ? ` (${served.providerID})` : ""
}

export * as CombinedRunnerLabel from "./label"
