// What providers promise about the user's data. policies.py in opencode-patcher is the same in Python.
import type { Variant } from "./identity"
import { lower } from "./scan"
import { rules } from "./table"

export type Require = {
  readonly no_training?: boolean
  readonly region?: string
  /** Patterns for providers or models for which the user vouches. */
  readonly trust?: readonly string[]
}

/** Whether a provider promises what is required. Unknown counts as no; free offers have terms of their own. */
export function promised(providerID: string, modelID: string, variant: Variant, require: Require) {
  const rows = rules.policies.filter(
    (row) => row.provider === lower(providerID) && !row.without.some((start) => lower(modelID).startsWith(start)),
  )
  const region = require.region ?? ""
  const kept = rows.some((row) => row.regions.includes(region) || (row.by_model && variant.region === region))
  const safe = !variant.free && rows.some((row) => row.no_training)
  return (safe || !require.no_training) && (kept || !region)
}
