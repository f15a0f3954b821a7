/**
 * What is combined, made from the user's providers and settings: the groups, the fallbacks, and the virtual provider
 * that the pickers show. Pure.
 */
import type { Config } from "@/config/config"
import type { Provider } from "@/provider/provider"
import type { Effect } from "effect"
import { CombinedFallback } from "../choice/fallback"
import { CombinedVariant } from "../choice/variant"
import { group, type Group, type Offer } from "../identity/grouping"
import { CombinedMember } from "../member"
import { CombinedSettings } from "../settings"
import { CombinedRoute } from "./route"

export type ProviderID = Provider.Model["providerID"]
export type ModelID = Provider.Model["id"]
export type Providers = Record<ProviderID, Provider.Info>
type Groups = ReadonlyMap<string, Group>
/** What upstream's config service returns; the name of that type differs between releases. */
export type Info = Effect.Success<ReturnType<Config.Interface["get"]>>

/**
 * A model with too few providers is not listed. But a session that chose it while it had more can still use the rest.
 */
export type Catalogue = CombinedFallback.Known & {
  /** The listed providers: upstream's and, if anything is combined, ours. */
  readonly providers: Providers
}

export type Known = Record<string, { readonly id: string; readonly models: Record<string, Listed> }>
type Listed = {
  readonly id: string
  readonly name: string
  readonly release_date?: string
  readonly cost?: unknown
}

export const ID = CombinedRoute.PROVIDER_ID as ProviderID

export type Asked = { readonly providerID: ProviderID; readonly modelID: ModelID }

export type Chain = CombinedFallback.Chain

export function combine(providers: Providers, config: Info, known: Known): Catalogue {
  const none: Groups = new Map()
  if (config.disabled_providers?.includes(ID) || providers[ID])
    return { providers, groups: none, reduced: () => none, fallbacks: none, chains: {} }
  const read = CombinedSettings.read(config)
  const chains = CombinedFallback.chains(read)
  const options = { ...read, groups: chains, catalogue: offers(known) }
  const grouped = (minProviders?: number) =>
    CombinedFallback.split(group(offers(providers), { ...options, ...(minProviders && { minProviders }) }))
  const { groups, fallbacks } = grouped()
  // Reading the whole catalogue takes a while; users with two or more providers rarely need this.
  const reduced = lazy(() => new Map([...grouped(1).groups].filter(([id]) => !groups.has(id))))
  return {
    groups,
    reduced,
    fallbacks,
    chains,
    providers: groups.size ? { ...providers, [ID]: provider(groups, providers) } : providers,
  }
}

export const { alone, chainOf, extended, written } = CombinedFallback

/** The chain that is asked for a title when this model is chosen; undefined if there is none. */
export function whole(chosen: Asked | undefined, known: Catalogue, agent: string | undefined): Chain | undefined {
  if (!chosen) return undefined
  const found = chosen.providerID === ID ? find(known, chosen.modelID) : undefined
  if (!found && chosen.providerID === ID) return undefined
  const own = found ? chainOf(found, known) : alone(chosen, known)
  return extended(own, known, ["title", ...(agent === undefined ? [] : [agent])]) ?? (found && own)
}

/** The user's options for a member, without the two that are part of the request (request/attempt.ts). */
export function optionsOf({ how }: CombinedMember.Member) {
  const { temperature: _, top_p: __, ...options } = how?.options ?? {}
  return options
}

function lazy<A>(make: () => A) {
  const made: { value?: A } = {}
  return () => (made.value ??= make())
}

export function find(known: Catalogue, modelID: string) {
  return known.groups.get(modelID) ?? known.reduced().get(modelID)
}

/** Everything that a chain may name as `combined/x`. */
export function ids(known: Catalogue) {
  return new Set([...known.groups.keys(), ...known.reduced().keys(), ...CombinedFallback.own(known)])
}

/** Our provider with everything that can be requested, including models that are not listed. */
export function resolvable(known: Catalogue) {
  const reduced = known.reduced()
  const listed = known.providers[ID]
  if (!reduced.size) return listed
  const whole = provider(reduced, known.providers)
  return { ...whole, models: { ...listed?.models, ...whole.models } }
}

function provider(groups: Groups, providers: Providers): Provider.Info {
  const models = Object.fromEntries(
    [...groups.values()].map((item) => [
      item.id,
      virtual(
        item,
        item.members.map((member) => providers[member.providerID as ProviderID].models[member.modelID]),
        [...new Set(item.members.map((member) => providers[member.providerID as ProviderID].name))],
      ),
    ]),
  )
  return { id: ID, name: "Combined", source: "custom", env: [], options: {}, models }
}

export function offers(providers: Known): Offer[] {
  return Object.values(providers).flatMap((provider) =>
    Object.values(provider.models).map((model) => ({
      providerID: provider.id,
      modelID: model.id,
      name: model.name,
      releaseDate: model.release_date,
    })),
  )
}

/**
 * What the picker shows. Whether a member can take a particular request (room, images) is decided when it is made, so
 * the maximum is offered here, and all variants, since each member has its own for them. Features that concern a whole
 * session are only offered if every member has them. The price is that of the preferred member.
 */
function virtual(item: Group, members: readonly Provider.Model[], names: readonly string[]): Provider.Model {
  const [first] = members
  const every = (can: (model: Provider.Model) => boolean) => members.every(can)
  const most = (read: (model: Provider.Model) => number | undefined) =>
    Math.max(...members.map((model) => read(model) ?? 0))
  const modes = ["text", "audio", "image", "video", "pdf"] as const
  const modalities = (side: "input" | "output") =>
    Object.fromEntries(modes.map((mode) => [mode, members.some((model) => model.capabilities[side][mode])])) as Record<
      (typeof modes)[number],
      boolean
    >
  return {
    ...first,
    id: item.id as ModelID,
    providerID: ID,
    name: item.name,
    headers: {},
    // Only for the picker and the label of an answer. A request uses a member's options.
    options: {
      combined: names,
      combined_members: item.members.map((member) => [CombinedMember.key(member), member.identity]),
    },
    // Context and input belong together, so both are those of the member with the most room.
    limit: {
      ...(members.find((model) => model.limit.context === most((other) => other.limit.context)) ?? first).limit,
      output: most((model) => model.limit.output),
    },
    capabilities: {
      ...first.capabilities,
      temperature: every((model) => model.capabilities.temperature),
      reasoning: every((model) => model.capabilities.reasoning),
      attachment: members.some((model) => model.capabilities.attachment),
      toolcall: every((model) => model.capabilities.toolcall),
      input: modalities("input"),
      output: modalities("output"),
    },
    variants: CombinedVariant.union(members.map((model) => model.variants)),
  }
}

export * as CombinedListing from "./listing"
