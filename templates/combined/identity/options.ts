// Unknown names in the user's settings. options.py in opencode-patcher is the same in Python.
import { fits, VARIANTS, type Offer, type Options } from "./grouping"
import { nearest } from "./nearest"
import { lower, squash } from "./scan"

/** A sentence for each name that no offer has, with the closest known one. */
export function check(options: Options, offers: readonly Offer[]) {
  const providers = [...new Set(offers.map((offer) => offer.providerID))]
  const squashed = new Set(providers.map(squash))
  const names = new Set(offers.map((offer) => offer.providerID + "/" + offer.modelID))
  const lowered = options.exclude?.length ? [...names].map(lower) : []
  return [
    ...options.priority
      .filter((provider) => !squashed.has(squash(provider)))
      .map((provider) => unknown("provider_priority", "provider", provider, providers)),
    ...Object.entries(options.groups ?? {}).flatMap(([group, members]) =>
      members
        .filter((member) => !names.has(member))
        .map((member) => {
          const [provider] = member.split("/", 1)
          const own = [...names].filter((name) => name.startsWith(provider + "/"))
          const where = "combined.groups." + group
          if (own.length > 0) return unknown(where, "model", member, own)
          return unknown(where, "provider", provider, providers)
        }),
    ),
    ...(options.exclude ?? [])
      .filter((pattern) => !lowered.some((name) => fits(lower(pattern), name)))
      .map((pattern) => `combined.exclude: ${pattern} matches no model of your providers.`),
    ...(options.variants ?? [])
      .filter((variant) => !VARIANTS.some((known) => known === variant))
      .map((variant) => unknown("combined.variants", "kind of variant", variant, VARIANTS)),
  ]
}

function unknown(where: string, kind: string, name: string, known: readonly string[]) {
  const near = nearest(name, known)
  return `${where}: no ${kind} ${name}.` + (near ? ` Did you mean ${near}?` : "")
}
