/** Several accounts of one provider: each is a provider of its own, with the models of the original one. Pure. */
import type { Info } from "./settings"

export type Account = {
  readonly id: string
  /** The provider whose models the account has. */
  readonly of: string
}

/** The accounts to add: those of a known provider, with an id that no provider has. */
export function wanted(config: Info, isKnown: (providerID: string) => boolean): Account[] {
  return Object.entries(config.combined?.accounts ?? {}).flatMap(([id, of]) =>
    isKnown(of) && !isKnown(id) ? [{ id, of }] : [],
  )
}

/** The provider as the catalogue knows it; for an account, the one whose models it has. */
export function sourceOf(config: Info, providerID: string) {
  return config.combined?.accounts?.[providerID] ?? providerID
}

/** The name to show. */
export const nameOf = (name: string, id: string) => `${name} (${id})`

/** The environment variable for its key: `OPENAI_WORK_API_KEY` for openai-work. */
export function variable(id: string) {
  return `${id.toUpperCase().replace(/[^A-Z0-9]+/g, "_")}_API_KEY`
}

export * as CombinedFurtherAccounts from "./further-accounts"
