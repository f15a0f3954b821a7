/**
 * Settings that cancel each other out: a provider that is both preferred and excluded, a chain of which no member may
 * be asked. Those that can be judged without knowing the user's providers are in mistakes.ts. Pure.
 */
import { CombinedCooldown } from "./health/cooldown"
import { CombinedChain, type Chain } from "./identity/chain"
import { isExcluded, permitted, resolve, type Offer } from "./identity/grouping"
import { fallbackOf, groupOf } from "./identity/options"
import { lower, squash } from "./identity/scan"
import { CombinedMember, type Member, type Name } from "./member"
import type { Mistake } from "./mistakes"
import { CombinedSettings, type Info } from "./settings"
import { LONGEST_WAIT } from "./turn/decide"

/** The part of opencode.json that switches providers on and off. */
type Listed = { readonly disabled_providers?: readonly string[]; readonly enabled_providers?: readonly string[] }

export type Facts = {
  /** What the user's providers offer. */
  readonly offers: readonly Offer[]
  /** The members that a chain of the user's ends up with, by the chain's place in the settings. */
  readonly members: (where: string) => readonly Member[]
  /** Whether the member bills each request, while members that do may not be asked. */
  readonly isNever: (member: Name) => boolean
}

/** A sentence for each setting that another one makes useless. */
export function conflicts(config: Info & Listed, facts: Facts): Mistake[] {
  const outs = outsOf(config, facts.offers)
  if (facts.offers.length > 0 && facts.offers.every((offer) => outs.has(CombinedMember.key(offer))))
    return [...nobody(config, outs), ...alone(config)]
  return [
    ...priority(config, facts, outs),
    ...lastResort(config, facts, outs),
    ...chains(config, facts, outs),
    ...few(config, facts),
    ...alone(config),
  ]
}

/** Why upstream does not load a provider, if the settings say so. */
function switchedOff(config: Listed, providerID: string) {
  if (config.disabled_providers?.includes(providerID)) return `disabled_providers names ${providerID}`
  if (config.enabled_providers && !config.enabled_providers.includes(providerID))
    return `enabled_providers does not name ${providerID}`
  return undefined
}

/** Whether a sentence about an unknown provider (identity/options.ts) only says that upstream does not load it. */
export function explains(config: Listed, text: string) {
  const name = /: no provider (.+)\.$/.exec(text)?.[1]
  return name !== undefined && switchedOff(config, name) !== undefined
}

type Cause = "exclude" | "require"

/** The offers that may not be members, by key, with the setting that rules each of them out. */
function outsOf(config: Info, offers: readonly Offer[]): ReadonlyMap<string, Cause> {
  const { exclude = [], require } = CombinedSettings.read(config)
  if (!exclude.length && !require?.no_training && !require?.region) return new Map()
  const patterns = exclude.map(lower)
  const identities = resolve(offers)
  return new Map(
    offers.flatMap((offer, index): [string, Cause][] => {
      if (isExcluded(offer, patterns)) return [[CombinedMember.key(offer), "exclude"]]
      return permitted(offer, identities[index].variant, require) ? [] : [[CombinedMember.key(offer), "require"]]
    }),
  )
}

function nobody({ combined = {} }: Info, outs: ReadonlyMap<string, Cause>) {
  const causes = new Set(outs.values())
  if (!causes.has("exclude"))
    return [about("require", combined.require, "none of your providers promises that, so nothing is combined.")]
  const both = causes.has("require") ? "together with combined.require, it" : "it"
  return [about("exclude", combined.exclude, `${both} leaves out all models that you have, so nothing is combined.`)]
}

function priority(config: Info & Listed, facts: Facts, outs: ReadonlyMap<string, Cause>): Mistake[] {
  const { priority: names } = CombinedSettings.read(config)
  const said = (text: string) => ({
    path: ["provider_priority"],
    value: config.provider_priority,
    text: `provider_priority: ${text}`,
  })
  return names.flatMap((name, index) => {
    if (names.findIndex((other) => squash(other) === squash(name)) < index)
      return [said(`${name} is there twice, and only the first place counts.`)]
    const own = facts.offers.filter((offer) => squash(offer.providerID) === squash(name))
    const why = own.length ? causeOf(own, outs) : switchedOff(config, name)
    return why ? [said(`${name} is never asked: ${why}.`)] : []
  })
}

function lastResort(config: Info & Listed, facts: Facts, outs: ReadonlyMap<string, Cause>): Mistake[] {
  const patterns = config.combined?.last_resort ?? []
  if (!patterns.length) return []
  const said = (text: string) => about("last_resort", patterns, text)
  const isLast = CombinedSettings.failover(config).lastResort
  const left = facts.offers.filter((offer) => !outs.has(CombinedMember.key(offer)))
  if (left.length && left.every(isLast)) return [said("it names everybody who may be asked, so nobody is the last.")]
  const useless = patterns.flatMap((pattern) => {
    const named = CombinedSettings.failover({ combined: { last_resort: [pattern] } }).lastResort
    const own = facts.offers.filter(named)
    const why = own.length
      ? (causeOf(own, outs) ?? (own.every(facts.isNever) ? NEVER : undefined))
      : switchedOff(config, pattern)
    return why ? [said(`${pattern} is not asked at all: ${why}.`)] : []
  })
  const { priority: names } = CombinedSettings.read(config)
  const of = (name: string) => left.filter((offer) => squash(offer.providerID) === squash(name))
  const early = names.flatMap((name, index) => {
    const own = of(name)
    const next = names.slice(index + 1).find((other) => of(other).some((offer) => !isLast(offer)))
    if (!own.length || !own.every(isLast) || next === undefined) return []
    return [said(`${name} is asked last, although provider_priority has it before ${next}.`)]
  })
  return [...useless, ...early]
}

function chains(config: Info & Listed, facts: Facts, outs: ReadonlyMap<string, Cause>): Mistake[] {
  const { groups = {}, fallbacks = {} } = CombinedSettings.read(config)
  const asksAnother = Object.values(fallbacks).some((chain) => CombinedChain.onRefusal(chain) === "next_model")
  const all = [
    ...Object.entries(groups).map(([id, chain]) => ({
      where: groupOf(id),
      path: ["combined", "groups", id],
      value: config.combined?.groups?.[id] as unknown,
      chain,
    })),
    ...Object.entries(fallbacks).map(([agent, chain]) => ({
      where: fallbackOf(agent),
      path: agent === "" ? ["combined", "fallback"] : ["agent", agent, "fallback"],
      value: agent === "" ? config.combined?.fallback : config.agent?.[agent]?.fallback,
      chain,
    })),
  ]
  return all.flatMap(({ where, path, value, chain }) => {
    const members = facts.members(where)
    const texts = [
      ...missing(config, facts, outs, chain),
      ...(members.length && members.every(facts.isNever) ? [`none of its models may be asked: ${NEVER}.`] : []),
      ...late(config, chain, members),
      ...refusals(chain, members, Object.keys(fallbacks).length > 0, asksAnother),
    ]
    return texts.map((text) => ({ path, value, text: `${where}: ${text}` }))
  })
}

/** Models of a chain that are ruled out by another setting. */
function missing(config: Listed, facts: Facts, outs: ReadonlyMap<string, Cause>, chain: Chain) {
  const found = CombinedChain.items(chain).flatMap(({ model }) => {
    if (CombinedChain.reference(model) !== undefined) return [{ model, why: undefined }]
    const [provider] = model.split("/", 1)
    const offer = facts.offers.find((item) => CombinedMember.key(item) === model)
    return [{ model, why: offer ? causeOf([offer], outs) : switchedOff(config, provider) }]
  })
  return found.flatMap(({ model, why }) => (why ? [`${model} is never asked: ${why}.`] : []))
}

/** A chain's first model, if it is asked last all the same. */
function late(config: Info, chain: Chain, members: readonly Member[]) {
  if (CombinedChain.isSorted(chain)) return []
  const isLast = CombinedSettings.failover(config).lastResort
  const [first] = members
  if (!first || !isLast(first) || members.every(isLast)) return []
  return [`${CombinedMember.key(first)} is first, but combined.last_resort says that it is asked last.`]
}

function refusals(chain: Chain, members: readonly Member[], hasMore: boolean, asksAnother: boolean) {
  const asks = CombinedChain.onRefusal(chain) === "next_model"
  const isOne = members.length > 0 && members.every((member) => CombinedMember.isSameModel(member, members[0]))
  return [
    ...(asks && isOne && !hasMore
      ? ["on_refusal asks a different model, but all of its members are the same one."]
      : []),
    ...CombinedChain.items(chain).flatMap(({ model, how }) =>
      !asks && !asksAnother && how.when?.length && how.when.every((kind) => kind === "refusal")
        ? [`${model} is never asked: it is for refusals only, and on_refusal is not "next_model".`]
        : [],
    ),
  ]
}

function few({ combined }: Info, { offers }: Facts) {
  const most = new Set(offers.map((offer) => offer.providerID)).size
  const fewest = combined?.min_providers
  if (fewest === undefined || !most || fewest <= most) return []
  return [
    about(
      "min_providers",
      fewest,
      `${fewest} is more than the ${most} that you have, so no model is combined by itself.`,
    ),
  ]
}

/** Conflicts that can be found without knowing the user's providers. */
function alone({ combined = {} }: Info): Mistake[] {
  const { budget, price_class = {}, regions = [], require, variants, cooldown = {}, wait } = combined
  const caps = [
    ...(["session", "day"] as const).map((of) => ({ of, cap: budget?.[of], whom: "no request that is billed" })),
    ...Object.entries(budget?.providers ?? {}).map(([id, cap]) => ({
      of: `providers.${id}`,
      cap,
      whom: `nothing that ${id} bills`,
    })),
  ]
  const unbilled = Object.entries(budget?.providers ?? {}).flatMap(([id, cap]) => {
    const [, found] = Object.entries(price_class).find(([name]) => squash(name) === squash(id)) ?? []
    const text = `providers.${id} counts nothing: by combined.price_class, all of it is ${found === "plan" ? "part of a plan" : "free"}.`
    return cap > 0 && (found === "plan" || found === "free") ? [about("budget", budget, text)] : []
  })
  const { min = CombinedCooldown.BOUNDS.min, max = CombinedCooldown.BOUNDS.max } = cooldown
  const others = regions.filter((region) => lower(region) !== lower(require?.region ?? region))
  return [
    ...caps.flatMap(({ of, cap, whom }) =>
      cap === 0
        ? [about("budget", budget, `${of} is 0, so ${whom} is sent. "metered": "never" says that as well.`)]
        : [],
    ),
    ...unbilled,
    ...waits(wait, { min, max }).map((text) => about("wait", wait, text)),
    ...(cooldown.max === undefined && min > max
      ? [about("cooldown", cooldown, `min (${min}) is more than any cooldown may last (${max}).`)]
      : []),
    ...(others.length
      ? [
          about(
            "regions",
            regions,
            `${others.join(", ")} cannot come first: combined.require only lets ${require?.region} through.`,
          ),
        ]
      : []),
    ...(regions.length && variants && !variants.includes("region")
      ? [
          about(
            "regions",
            regions,
            'without "region" in combined.variants, regions are never combined, so they have no order.',
          ),
        ]
      : []),
    ...(require?.trust?.length && !require.no_training && !require.region
      ? [about("require", require, "trust alone demands nothing; it needs no_training or region.")]
      : []),
  ]
}

/** Why a longer wait because of `combined.wait` changes nothing. */
function waits(wait: Parameters<typeof CombinedSettings.wait>[0], { min, max }: CombinedCooldown.Bounds) {
  const most = CombinedSettings.wait(wait)?.max
  if (most === undefined) return []
  if (most <= LONGEST_WAIT)
    return [`a turn waits ${LONGEST_WAIT / 1000} seconds in any case, so ${most} milliseconds add nothing.`]
  if (min > most) return [`nobody is back within ${most} milliseconds, because combined.cooldown.min is ${min}.`]
  if (max > LONGEST_WAIT) return []
  return [`combined.cooldown.max is ${max}, and a turn waits that long in any case, so it adds nothing.`]
}

const NEVER = 'combined.metered is "never", and every request there is billed'

const CAUSES: Record<Cause, string> = {
  exclude: "combined.exclude leaves it out",
  require: "it does not promise what combined.require demands",
}

/** Why none of the offers may be a member. */
function causeOf(offers: readonly Offer[], outs: ReadonlyMap<string, Cause>) {
  const causes = new Set(offers.map((offer) => outs.get(CombinedMember.key(offer))))
  const [first] = causes
  if (causes.has(undefined) || !first) return undefined
  return causes.size > 1 ? "combined.exclude and combined.require leave nothing of it" : CAUSES[first]
}

const about = (key: string, value: unknown, text: string): Mistake => ({
  path: ["combined", key],
  value,
  text: `combined.${key}: ${text}`,
})

export * as CombinedConflicts from "./conflicts"
