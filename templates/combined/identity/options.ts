// Names and chains in the user's settings that match nothing. options.py in opencode-patcher is the same in Python.
import { CombinedChain, type Chain } from "./chain"
import { fits, group, VARIANTS, type Offer, type Options } from "./grouping"
import { nearest } from "./nearest"
import { lower, squash } from "./scan"

/**
 * A sentence for each name that no offer has, with the closest known one, and for each mistake in a chain, such as one
 * that contains itself.
 */
export function check(options: Options, offers: readonly Offer[], ids = () => idsOf(options, offers)) {
  const providers = [...new Set(offers.map((offer) => offer.providerID))]
  const squashed = new Set(providers.map(squash))
  const names = new Set(offers.map((offer) => offer.providerID + "/" + offer.modelID))
  const lowered = options.exclude?.length ? [...names].map(lower) : []
  const ways = new Map(CombinedChain.circles(options.groups ?? {}).map((way) => [way[0], way]))
  const chains: [string, Chain][] = [
    ...Object.entries(options.groups ?? {}).map(([id, chain]): [string, Chain] => [groupOf(id), chain]),
    ...Object.entries(options.fallbacks ?? {}).map(([agent, chain]): [string, Chain] => [fallbackOf(agent), chain]),
  ]
  return [
    ...options.priority
      .filter((provider) => !squashed.has(squash(provider)))
      .map((provider) => unknown("provider_priority", "provider", provider, providers)),
    ...[...ways.values()].map(
      (way) => `combined.groups.${way[0]}: it contains itself (${[...way, way[0]].join(" > ")}), so it is left out.`,
    ),
    ...chains.flatMap(([where, chain]) => {
      const items = CombinedChain.items(chain)
      if (items.length === 0) return [`${where}: it has no models.`]
      return items.flatMap(({ model, how }, index) => [
        ...missing(where, model, providers, names, ids),
        ...(items.findIndex((other) => other.model === model) < index
          ? [`${where}: ${model} is there twice, and only the first one counts.`]
          : []),
        ...(index === 0 && how.when ? [`${where}: with "when", ${model} is never asked, since it is the first.`] : []),
      ])
    }),
    ...(options.exclude ?? [])
      .filter((pattern) => !lowered.some((name) => fits(lower(pattern), name)))
      .map((pattern) => `combined.exclude: ${pattern} matches no model of your providers.`),
    ...(options.variants ?? [])
      .filter((variant) => !VARIANTS.some((known) => known === variant))
      .map((variant) => unknown("combined.variants", "kind of variant", variant, VARIANTS)),
  ]
}

/** The key of a group of the user's in the settings. */
export const groupOf = (id: string) => "combined.groups." + id

/** The key of an agent's fallback in the settings. The fallback for every model has no name. */
export function fallbackOf(agent: string) {
  return agent === "" ? "combined.fallback" : `agent.${agent}.fallback`
}

function missing(
  where: string,
  model: string,
  providers: readonly string[],
  names: ReadonlySet<string>,
  ids: () => ReadonlySet<string>,
) {
  const id = CombinedChain.reference(model)
  if (names.has(model) || (id !== undefined && ids().has(id))) return []
  if (id !== undefined) return [unknown(where, "group", id, [...ids()], CombinedChain.named)]
  const [provider] = model.split("/", 1)
  const own = [...names].filter((name) => name.startsWith(provider + "/"))
  return [own.length > 0 ? unknown(where, "model", model, own) : unknown(where, "provider", provider, providers)]
}

/** Everything that may be named as `combined/x`: the user's groups, and automatic ones with any number of providers. */
function idsOf(options: Options, offers: readonly Offer[]) {
  return new Set([
    ...Object.keys(options.groups ?? {}),
    ...group(offers, options).map((item) => item.id),
    ...group(offers, { ...options, minProviders: 1 }).map((item) => item.id),
  ])
}

function unknown(where: string, kind: string, name: string, known: readonly string[], shown = (name: string) => name) {
  const near = nearest(name, known)
  return `${where}: no ${kind} ${shown(name)}.` + (near ? ` Did you mean ${shown(near)}?` : "")
}
