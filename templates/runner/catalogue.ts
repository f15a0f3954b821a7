/** The combined models that the new session runner can use. */
import { Effect } from "effect"
import { Catalog } from "../../catalog"
import { Config } from "../../config"
import { ModelV2 } from "../../model"
import { ProviderV2 } from "../../provider"
import { supported } from "../../session/runner/model"
import { CombinedVariant } from "../choice/variant"
import { CombinedChain, type Chains } from "../identity/chain"
import { group, type Group, type Offer } from "../identity/grouping"
import { CombinedMember } from "../member"
import { CombinedPrice } from "../money/price"
import { CombinedSettings } from "../settings"
import { CombinedRunnerSettings } from "./settings"

export const ID = ProviderV2.ID.make("combined")

export type Found = {
  readonly id: string
  readonly name: string
  /** In the order in which they are asked. */
  readonly members: readonly (CombinedMember.Member & { readonly model: ModelV2.Info })[]
  /** Why members are left out that the runner could ask; undefined if there are none. */
  readonly reason: string | undefined
}

/** The last grouping of each catalogue; it is made again when a model is added or a setting changes. */
const made = new WeakMap<Catalog.Interface, { readonly of: string; readonly groups: ReadonlyMap<string, Group> }>()

const grouping = Effect.fn("CombinedRunnerCatalogue.grouping")(function* (catalog: Catalog.Interface, least?: number) {
  const settings = yield* CombinedRunnerSettings.read(yield* Config.Service)
  const models = yield* catalog.model.available()
  const names = models.map((model) => CombinedMember.key({ providerID: model.providerID, modelID: model.id }))
  const of = JSON.stringify([settings, least, names])
  const known = made.get(catalog)
  const money = CombinedSettings.money(settings)
  const read = CombinedSettings.read(settings)
  const chains = read.groups ?? {}
  if (known?.of === of) return { models, rules: { money, chains }, groups: known.groups }
  const options = { ...read, catalogue: offers(yield* catalog.model.all()) }
  const found = models.some((model) => model.providerID === ID)
    ? []
    : group(offers(models), { ...options, ...(least && { minProviders: least }) })
  const groups = new Map(found.map((item) => [item.id, item] as const))
  if (!least) made.set(catalog, { of, groups })
  return { models, rules: { money, chains }, groups }
})

/** What is listed: upstream's models, followed by the combined ones with a usable member. */
export const models = Effect.fn("CombinedRunnerCatalogue.models")(function* (catalog: Catalog.Interface) {
  const { models, rules, groups } = yield* grouping(catalog)
  return [...models, ...[...groups.values()].flatMap((item) => virtual(resolve(item, models, rules)) ?? [])]
})

/** The provider of the combined models, if there are any, after upstream's. */
export const providers = Effect.fn("CombinedRunnerCatalogue.providers")(function* (catalog: Catalog.Interface) {
  const listed = yield* catalog.provider.available()
  const any = (yield* models(catalog)).some((model) => model.providerID === ID)
  if (!any || listed.some((item) => item.id === ID)) return listed
  return [...listed, { ...ProviderV2.Info.empty(ID), name: "Combined" }]
})

/**
 * A combined model by its id; also one with too few providers to be listed, for a session that chose it while it had
 * more. Undefined if there is none. It may have no members: then the runner can use none of its providers.
 */
export const find = Effect.fn("CombinedRunnerCatalogue.find")(function* (catalog: Catalog.Interface, id: string) {
  const { models, rules, groups } = yield* grouping(catalog)
  const item = groups.get(id) ?? (yield* grouping(catalog, 1)).groups.get(id)
  return item && resolve(item, models, rules)
})

type Rules = { readonly money: CombinedSettings.Money; readonly chains: Chains }

/**
 * A model whose chain says what cannot be done here has no members. Nobody can be asked for leave here, and no cost is
 * counted: what may only be billed on conditions is not asked.
 */
function resolve(item: Group, models: readonly ModelV2.Info[], { money, chains }: Rules): Found {
  const members = item.members.flatMap((member) => {
    const model = models.find((other) => other.providerID === member.providerID && other.id === member.modelID)
    return model && supported(model) ? [{ ...member, model }] : []
  })
  const unable = beyond(item, chains)
  if (unable && members.length) return { id: item.id, name: item.name, members: [], reason: unable }
  const condition =
    money.metered === "allow"
      ? money.budget && "combined.budget does not work here"
      : `combined.metered is "${money.metered}"`
  if (!condition) return { id: item.id, name: item.name, members, reason: undefined }
  const billed = members.filter((member) => priceClassOf(member, money) === "metered")
  const names = [...new Set(billed.map((member) => member.providerID))].join(", ")
  return {
    id: item.id,
    name: item.name,
    members: members.filter((member) => !billed.includes(member)),
    reason: names ? `each request is billed by ${names}, and ${condition}` : undefined,
  }
}

/** What the user says about a chain that this runner cannot do. */
function beyond(item: Group, chains: Chains) {
  const named = item.members.find((member) => Object.keys(member.how?.options ?? {}).length > 0)
  if (named) return `the chain sets options for ${CombinedMember.key(named)}, which it cannot send`
  const refusal = Object.hasOwn(chains, item.id) ? CombinedChain.onRefusal(chains[item.id]) : undefined
  return refusal === "next_model" ? 'the chain has "on_refusal": "next_model", which it cannot do' : undefined
}

/** Logins are stored separately for this API, and none of them is used here. */
function priceClassOf(member: Found["members"][number], money: CombinedSettings.Money) {
  const { api, cost } = member.model
  const prices = cost.map(({ tier: _, ...rates }) => rates)
  return CombinedPrice.classOf({
    member,
    provider: member.providerID,
    login: false,
    price: prices[0] && { ...prices[0], tiers: prices.slice(1).map((rates) => ({ ...rates, tier: { size: 0 } })) },
    local: CombinedPrice.isLocal(api.type === "aisdk" ? api.url : undefined),
    own: money.classOf(member),
  })
}

function offers(models: readonly ModelV2.Info[]): Offer[] {
  return models.map((model) => ({
    providerID: model.providerID,
    modelID: model.id,
    name: model.name,
    ...(model.time.released > 0 && { releaseDate: new Date(model.time.released).toISOString().slice(0, 10) }),
  }))
}

/** As in the first API: the maximum of all members; those that cannot do something are skipped. */
function virtual(found: Found): ModelV2.Info | undefined {
  const [first] = found.members
  if (!first) return undefined
  const all = found.members.map((member) => member.model)
  const most = (read: (model: ModelV2.Info) => number) => Math.max(...all.map(read))
  const widest = all.find((model) => model.limit.context === most((other) => other.limit.context)) ?? first.model
  const names = Object.keys(CombinedVariant.union(all.map((model) => variants(model))))
  return {
    ...first.model,
    id: ModelV2.ID.make(found.id),
    providerID: ID,
    name: found.name,
    api: { id: ModelV2.ID.make(found.id), type: "native", settings: {} },
    request: { headers: {}, body: {} },
    capabilities: {
      tools: all.every((model) => model.capabilities.tools),
      input: [...new Set(all.flatMap((model) => model.capabilities.input))],
      output: [...new Set(all.flatMap((model) => model.capabilities.output))],
    },
    variants: names.map((name) => ({ id: ModelV2.VariantID.make(name), headers: {}, body: {} })),
    limit: { ...widest.limit, output: most((model) => model.limit.output) },
  }
}

/** The variants of a model, by their names. */
export function variants(model: ModelV2.Info) {
  return Object.fromEntries(model.variants.map((item) => [item.id, item]))
}

export * as CombinedRunnerCatalogue from "./catalogue"
