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
  /** Why some members are left out although the runner could ask them; undefined if none are. */
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

/** The listed models: upstream's, followed by the combined models that have a usable member. */
export const models = Effect.fn("CombinedRunnerCatalogue.models")(function* (catalog: Catalog.Interface) {
  const { models, rules, known } = yield* grouping(catalog)
  return [...models, ...[...known.groups.values()].flatMap((item) => virtual(resolve(item, models, rules)) ?? [])]
})

/** Upstream's providers, followed by the provider of the combined models if there are any. */
export const providers = Effect.fn("CombinedRunnerCatalogue.providers")(function* (catalog: Catalog.Interface) {
  const listed = yield* catalog.provider.available()
  const any = (yield* models(catalog)).some((model) => model.providerID === CombinedRunnerListing.ID)
  if (!any || listed.some((item) => item.id === CombinedRunnerListing.PROVIDER.id)) return listed
  return [...listed, CombinedRunnerListing.PROVIDER]
})

/**
 * A combined model by its id; undefined if there is none. A session may have chosen a model that now has too few
 * providers to be listed; that one is found too. Without members, the runner can use none of its providers.
 */
export const find = Effect.fn("CombinedRunnerCatalogue.find")(function* (catalog: Catalog.Interface, id: string) {
  const { models, rules, known } = yield* grouping(catalog)
  const item = CombinedRunnerListing.find(known, id)
  return item && resolve(item, models, rules)
})

type Rules = { readonly money: CombinedSettings.Money; readonly chains: Chains }

/**
 * A model whose chain requires something that this runner cannot do has no members. This runner cannot ask the user for
 * consent and counts no cost, so members that may only be billed under a condition are left out.
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

/** What the user requires of a chain that this runner cannot do. */
function beyond(item: Group, chains: Chains) {
  const named = item.members.find((member) => Object.keys(member.how?.options ?? {}).length > 0)
  if (named) return `the chain sets options for ${CombinedMember.key(named)}, which it cannot send`
  const refusal = Object.hasOwn(chains, item.id) ? CombinedChain.onRefusal(chains[item.id]) : undefined
  return refusal === "next_model" ? 'the chain has "on_refusal": "next_model", which it cannot do' : undefined
}

/** This API stores logins separately, and none of them is used here. */
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
