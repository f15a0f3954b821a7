/** The keys `provider_priority` and `combined` of opencode.json, with their defaults. Pure. */
import type { Config } from "@/config/config"
import type { Effect } from "effect"
import type { Options } from "./identity"
import { squash } from "./identity-scan"

/** What upstream's config service returns; the name of that type has changed from release to release. */
export type Info = Effect.Success<ReturnType<Config.Interface["get"]>>

export function read(config: Info): Options {
  const combined = config.combined ?? {}
  return {
    priority: list(config.provider_priority),
    minProviders: combined.min_providers,
    combineLatest: combined.combine_latest,
    exclude: combined.exclude,
    groups: combined.groups,
    variants: combined.variants,
    regions: combined.regions,
  }
}

/** A list, or one text with commas between the providers. */
function list(value: Info["provider_priority"]): readonly string[] {
  const items = typeof value === "string" ? value.split(",") : (value ?? [])
  return items.map((item) => item.trim()).filter((item) => item)
}

/** Providers of the priority list first, in its order; the others after them by code point. Case and dots do not matter. */
export function order(providers: readonly string[], priority: readonly string[]) {
  const ranks = priority.map(squash)
  const rank = (id: string) => (ranks.includes(squash(id)) ? ranks.indexOf(squash(id)) : ranks.length)
  return providers.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0))
}

export * as CombinedSettings from "./settings"
