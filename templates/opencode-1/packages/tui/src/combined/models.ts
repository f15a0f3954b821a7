/** What the pickers show of combined models. Pure. */

/** The providers behind a combined model, as a second line; nothing for any other model. */
export function members(model: { readonly options?: Readonly<Record<string, unknown>> }): string[] | undefined {
  const names = model.options?.combined
  return Array.isArray(names) ? [names.join(" → ")] : undefined
}

/** Providers that one can log in to. */
export function real<P extends { readonly id: string }>(providers: readonly P[]) {
  return providers.filter((provider) => provider.id !== "combined")
}

export * as CombinedModels from "./models"
