/** The keys `provider_priority` and `combined` of opencode.json, with their defaults. Pure. */
import type { Kind } from "./failure/classify"
import { CombinedRules, type Own, type Rule } from "./failure/rules"
import type { CombinedAccounts } from "./health/accounts"
import { CombinedCooldown } from "./health/cooldown"
import { CombinedWindow } from "./health/window"
import { CombinedChain } from "./identity/chain"
import type { Chain, Chains, Options } from "./identity/grouping"
import type { Require } from "./identity/policies"
import { lower, squash } from "./identity/scan"
import type { CombinedMember } from "./member"
import type { Metered } from "./money/admit"
import type { Budget } from "./money/budget"
import type { PriceClass } from "./money/price"
import type { CombinedDecide } from "./turn/decide"
import { CombinedSchema } from "./schema"
import { table, type Node } from "./settings-table"

/** The feature's part of opencode.json. */
export type Info = {
  readonly provider_priority?: string | readonly string[]
  readonly combined?: {
    readonly min_providers?: number
    readonly combine_latest?: boolean
    readonly exclude?: readonly string[]
    readonly groups?: Chains
    readonly fallback?: string | Chain
    readonly variants?: readonly string[]
    readonly regions?: readonly string[]
    readonly require?: Require
    readonly accounts?: Readonly<Record<string, string>>
    readonly strategy?: keyof typeof STRATEGIES
    readonly max_attempts?: number
    readonly first_token_timeout?: number
    readonly stall_timeout?: number
    readonly cooldown?: { readonly min?: number; readonly max?: number }
    readonly last_resort?: readonly string[]
    readonly stickiness?: number
    readonly wait?: boolean | number | { readonly max?: number; readonly quiet?: string }
    readonly windows?: {
      readonly threshold?: Percent
      readonly providers?: Readonly<Record<string, Percent>>
      readonly order?: "priority" | "soonest"
    }
    readonly failures?: readonly Own[]
    readonly price_class?: Readonly<Record<string, PriceClass>>
    readonly metered?: Metered
    readonly budget?: {
      readonly session?: number
      readonly day?: number
      readonly providers?: Readonly<Record<string, number>>
    }
  }
  readonly agent?: Readonly<Record<string, { readonly [key: string]: unknown } | undefined>>
}

type Percent = number | "off"

export function read(config: Info): Options {
  const combined = config.combined ?? {}
  return {
    priority: list(config.provider_priority),
    minProviders: combined.min_providers,
    combineLatest: combined.combine_latest,
    exclude: combined.exclude,
    groups: combined.groups,
    fallbacks: fallbacks(config),
    variants: combined.variants,
    regions: combined.regions,
    require: combined.require,
  }
}

/** The fallbacks, by agent; "" stands for every model that has no chain of its own. */
function fallbacks(config: Info): Chains {
  const agents = Object.entries(config.agent ?? {}).map(([name, agent]): [string, unknown] => [name, agent?.fallback])
  return Object.fromEntries(
    [["", config.combined?.fallback] as [string, unknown], ...agents].flatMap(([name, value]) => {
      // Upstream accepts any key of an agent. Mistakes in it are reported at start (mistakes.ts).
      const chain = CombinedSchema.wrong(name, value, FALLBACK).length ? undefined : CombinedChain.parse(value)
      return chain ? [[name, chain]] : []
    }),
  )
}

/** The schema of a fallback. */
export const FALLBACK: Node = table.properties?.combined?.properties?.fallback ?? {}

/** Whether any fallback is set. */
export function hasFallback(config: Info) {
  return Object.keys(fallbacks(config)).length > 0
}

/** How failures are handled. Times are in milliseconds. */
export type Failover = {
  /** Kinds of failures after which another member is asked; undefined means all. */
  readonly kinds: readonly Kind[] | undefined
  /** How often one provider is asked in a row for one step before its cooldown starts. */
  readonly maxAttempts: number
  readonly firstToken: CombinedDecide.Limit
  readonly stall: CombinedDecide.Limit
  readonly cooldown: CombinedCooldown.Bounds
  readonly lastResort: (member: CombinedMember.Member) => boolean
  readonly stickiness: number
  /** How long a turn waits for a member that is not back soon; undefined means not at all. */
  readonly wait?: CombinedDecide.Wait
  /** The percentage of a window from which on a member is only asked if there is no other one. */
  readonly threshold: CombinedAccounts.Threshold
  /** Of otherwise equal members, the one whose window ends first is asked first. */
  readonly soonest: boolean
  /** The user's own rows for the table of failures. */
  readonly own: readonly Rule[]
}

const MINUTE = 60_000

/**
 * While a model thinks for minutes, its provider mostly sends signs of life: a comment, a ping, or an empty event. If
 * nothing at all comes, OpenCode itself (from v1.18.27 on), Codex and Claude Code stop after five minutes. With signs
 * of life, healthy models were seen to think for more than eight minutes. The sources are in docs/failover.md.
 */
const SILENCE: CombinedDecide.Limit = { lost: 5 * MINUTE, alive: 15 * MINUTE }

/** Anthropic's prompt caches last five minutes after their last use, OpenAI's five to ten. */
const STICKINESS = 5 * MINUTE

/**
 * What is left at the end of a plan's window is lost, so most of it should be used. An API key's limit only costs time.
 */
const PLAN = 95

const STRATEGIES = {
  on_error: undefined,
  on_rate_limit: ["rate_limit", "quota"],
  on_overload: ["rate_limit", "quota", "overload", "server"],
} as const satisfies Record<string, readonly Kind[] | undefined>

export function failover(config: Info): Failover {
  const combined = config.combined ?? {}
  const patterns = (combined.last_resort ?? []).map(lower)
  return {
    kinds: STRATEGIES[combined.strategy ?? "on_error"],
    maxAttempts: combined.max_attempts ?? 2,
    firstToken: silence(combined.first_token_timeout),
    stall: silence(combined.stall_timeout),
    cooldown: {
      min: combined.cooldown?.min ?? CombinedCooldown.BOUNDS.min,
      max: combined.cooldown?.max ?? CombinedCooldown.BOUNDS.max,
    },
    lastResort: (member) => patterns.some((pattern) => names(pattern, member)),
    stickiness: combined.stickiness ?? STICKINESS,
    wait: wait(combined.wait),
    threshold: threshold(combined.windows),
    soonest: combined.windows?.order === "soonest",
    own: CombinedRules.own(combined.failures ?? []),
  }
}

/** A time that the user gives counts for any silence, with or without signs of life. */
const silence = (own: number | undefined) => (own === undefined ? SILENCE : { lost: own, alive: own })

/** What requests may cost. */
export type Money = {
  readonly metered: Metered
  /** The cap; undefined if there is none. */
  readonly budget: Budget | undefined
  /** The user's price class for a member. */
  readonly classOf: (member: CombinedMember.Name) => PriceClass | undefined
}

export function money({ combined = {} }: Info): Money {
  const { session, day, providers = {} } = combined.budget ?? {}
  const own = Object.entries(combined.price_class ?? {})
  // An entry for a model outranks one for its provider.
  const rows = [...own.filter(([name]) => name.includes("/")), ...own.filter(([name]) => !name.includes("/"))]
  const caps = new Map(Object.entries(providers).map(([name, cap]) => [squash(name), cap]))
  const isCapped = session !== undefined || day !== undefined || caps.size > 0
  return {
    metered: combined.metered ?? "allow",
    budget: isCapped
      ? { ...(session !== undefined && { session }), ...(day !== undefined && { day }), providers: caps }
      : undefined,
    classOf: (member) => rows.find(([pattern]) => names(lower(pattern), member))?.[1],
  }
}

/** The longest usual window of a plan is five hours. */
const PATIENCE = 6 * 60 * MINUTE

/** How long a turn waits for a member that is not back soon. */
export function wait(given: NonNullable<Info["combined"]>["wait"]): CombinedDecide.Wait | undefined {
  if (given === undefined || given === false) return undefined
  if (given === true) return { max: PATIENCE }
  if (typeof given === "number") return { max: given }
  return { max: given.max ?? PATIENCE, ...(given.quiet !== undefined && { quiet: hours(given.quiet) }) }
}

/** Hours of the day, in minutes; undefined if they are not written like 23:00-07:00. */
export function hours(text: string) {
  const found = /^([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.replaceAll(" ", ""))
  if (!found) return undefined
  const [from, to] = [Number(found[1]) * 60 + Number(found[2]), Number(found[3]) * 60 + Number(found[4])]
  return from === to ? undefined : { from, to }
}

function threshold(windows: NonNullable<Info["combined"]>["windows"] = {}): CombinedAccounts.Threshold {
  const own = new Map(Object.entries(windows.providers ?? {}).map(([name, value]) => [squash(name), value]))
  return (providerID, window) => {
    const isPlan = window.plan || CombinedWindow.isPlan(providerID)
    const found = own.get(squash(providerID)) ?? windows.threshold ?? (isPlan ? PLAN : "off")
    return found === "off" ? undefined : found
  }
}

/** A pattern is a provider, or provider/model; `*` stands for any text. */
function names(pattern: string, member: CombinedMember.Name) {
  const text = pattern.includes("/") ? `${member.providerID}/${member.modelID}` : member.providerID
  const source = pattern.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("\\*", "[^]*")
  return new RegExp(`^${source}$`).test(lower(text))
}

/** A list, or one string with commas between the providers. */
function list(value: Info["provider_priority"]): readonly string[] {
  const items = typeof value === "string" ? value.split(",") : (value ?? [])
  return items.map((item) => item.trim()).filter((item) => item)
}

/** Providers of the priority list first, in its order, then the others by code point. Case and dots do not matter. */
export function order(providers: readonly string[], priority: readonly string[]) {
  const ranks = priority.map(squash)
  const rank = (id: string) => (ranks.includes(squash(id)) ? ranks.indexOf(squash(id)) : ranks.length)
  return providers.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0))
}

export * as CombinedSettings from "./settings"
