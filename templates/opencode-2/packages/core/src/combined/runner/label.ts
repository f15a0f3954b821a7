/** The name of a model on the screen. Pure, and without imports. */

type Ref = { readonly providerID: string; readonly id: string }

/** The provider that served, where some models are combined: then the same name may come from several. */
export function suffix(served: Ref, models: readonly Ref[]) {
  return models.some((model) => model.providerID === "combined") ? ` (${served.providerID})` : ""
}

export * as CombinedRunnerLabel from "./label"
