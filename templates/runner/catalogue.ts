/** The combined models that the new session runner can use. */
import { Effect } from "effect"
import { Catalog } from "../../catalog"
import { Config } from "../../config"
import type { ModelV2 } from "../../model"
import { supported } from "../../session/runner/model"
import { CombinedChain, type Chains } from "../identity/chain"
import type { Group } from "../identity/grouping"
import { CombinedMember } from "../member"
import { CombinedSettings } from "../settings"
import { CombinedRunnerListing } from "./listing"
import { CombinedRunnerSettings } from "./settings"
import { CombinedRunnerTerms } from "./terms"

export type Found = CombinedRunnerListing.Found & {
  /** Why members are left out that the runner could ask; undefined if there are none. */
  readonly reason: string | undefined
}

const last = new WeakMap<Catalog.Interface, CombinedRunnerListing.Last>()

const grouping = Effect.fn("CombinedRunnerCatalogue.grouping")(function* (catalog: Catalog.Interface) {
  const settings = yield* CombinedRunnerSettings.read(yield* Config.Service)
  const models = yield* catalog.model.available()
  const before = last.get(catalog) ?? {}
  last.set(catalog, before)
  const known = yield* CombinedRunnerListing.known(before, settings, models, catalog.model.all())
  const rules = { money: CombinedSettings.money(settings), chains: CombinedSettings.read(settings).groups ?? {} }
  return { models, rules, known }
})

/** What is listed: upstream's models, followed by the combined ones with a usable member. */
export const models = Effect.fn("CombinedRunnerCatalogue.models")(function* (catalog: Catalog.Interface) {
  const { models, rules, known } = yield* grouping(catalog)
  return [...models, ...[...known.groups.values()].flatMap((item) => virtual(resolve(item, models, rules)) ?? [])]
})

/** The provider of the combined models, if there are any, after upstream's. */
export const providers = Effect.fn("CombinedRunnerCatalogue.providers")(function* (catalog: Catalog.Interface) {
  const listed = yield* catalog.provider.available()
  const any = (yield* models(catalog)).some((model) => model.providerID === CombinedRunnerListing.ID)
  if (!any || listed.some((item) => item.id === CombinedRunnerListing.PROVIDER.id)) return listed
  return [...listed, CombinedRunnerListing.PROVIDER]
})

/**
 * A combined model by its id; also one with too few providers to be listed, for a session that chose it while it had
 * more. Undefined if there is none. It may have no members: then the runner can use none of its providers.
 */
export const find = Effect.fn("CombinedRunnerCatalogue.find")(function* (catalog: Catalog.Interface, id: string) {
  const { models, rules, known } = yield* grouping(catalog)
  const item = CombinedRunnerListing.find(known, id)
  return item && resolve(item, models, rules)
})

type Rules = { readonly money: CombinedSettings.Money; readonly chains: Chains }

/**
 * A model whose chain says what cannot be done here has no members. Nobody can be asked for leave here, and no cost is
 * counted: what may only be billed on conditions is not asked.
 */
function resolve(item: Group, models: readonly ModelV2.Info[], { money, chains }: Rules): Found {
  const members = CombinedRunnerListing.members(item, models, supported)
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
function priceClassOf(member: CombinedRunnerListing.Member, money: CombinedSettings.Money) {
  const { api } = member.model
  const price = CombinedRunnerTerms.priceOf(member.model)
  const address = api.type === "aisdk" ? api.url : undefined
  return CombinedRunnerTerms.of(member, {
    money,
    price,
    provider: member.providerID,
    address,
    login: false,
    chosen: false,
  }).priceClass
}

function virtual(found: Found): ModelV2.Info | undefined {
  const model = CombinedRunnerListing.virtual(found)
  return (
    model && {
      ...model,
      api: { id: model.id, type: "native", settings: {} },
      request: { headers: {}, body: {} },
      variants: CombinedRunnerListing.union(found).map((id) => ({ id, headers: {}, body: {} })),
    }
  )
}

export * as CombinedRunnerCatalogue from "./catalogue"
