export * as ModelV2 from "./model"

import type { ProviderV2 } from "./provider"

export type ID = string

export const ID = { make: (id: string): ID => id }

export type VariantID = string

export const VariantID = { make: (id: string): VariantID => id }

export type Ref = { readonly id: ID; readonly providerID: ProviderV2.ID; readonly variant?: VariantID }

/** Dollars for a million tokens. */
export type Cost = {
  readonly tier?: { readonly type: "context"; readonly size: number }
  readonly input: number
  readonly output: number
  readonly cache: { readonly read: number; readonly write: number }
}

type Details = ProviderV2.Overlays & {
  readonly id: ID
  readonly modelID: ID
  readonly providerID: ProviderV2.ID
  readonly family?: string
  readonly name: string
  readonly package?: string
  readonly capabilities: {
    readonly tools: boolean
    readonly input: readonly string[]
    readonly output: readonly string[]
  }
  readonly variants: readonly ({ readonly id: VariantID } & ProviderV2.Overlays)[]
  readonly time: { readonly released: number }
  readonly cost: readonly Cost[]
  readonly status: "alpha" | "beta" | "deprecated" | "active"
  readonly enabled: boolean
  readonly limit: { readonly context: number; readonly input?: number; readonly output: number }
}

export type Info = Details

export const Info = {
  empty: (providerID: ProviderV2.ID, id: ID): Info => ({
    id,
    modelID: id,
    providerID,
    name: id,
    capabilities: { tools: true, input: ["text"], output: ["text"] },
    variants: [],
    time: { released: 0 },
    cost: [],
    status: "active",
    enabled: true,
    limit: { context: 0, output: 0 },
  }),
}

/** A price as the configuration has it. */
export const priced = (cost: { readonly input: number; readonly output: number } | undefined): Cost[] =>
  cost ? [{ ...cost, cache: { read: 0, write: 0 } }] : []

export function parse(text: string): Ref {
  const [providerID = "", ...id] = text.split("/")
  return { providerID, id: id.join("/") }
}
