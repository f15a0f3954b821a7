/**
 * Cooldowns: which member to avoid, and until when.
 *
 * Pure functions on `State`; times are milliseconds since the epoch. store.ts shares a state between processes.
 */
import { KINDS, type Failure, type Kind } from "../failure/classify"
import { CombinedMember } from "../member"
import { isObject } from "../value"

/**
 * What is known about a member or a whole provider. A recovered one is kept too, so that other processes learn about
 * it.
 */
export type Cooldown = {
  readonly since: number
  readonly until: number
  readonly kind: Kind
  readonly message: string
  /** Consecutive failures, which lengthen the next cooldown; 0 after a success. */
  readonly failures: number
  /** Fingerprint of the credentials that failed. */
  readonly credentials?: string
}

export type State = ReadonlyMap<string, Cooldown>

/** Limits for every cooldown, in milliseconds, whatever the provider asks for. */
export type Bounds = { readonly min: number; readonly max: number }

type Step = { readonly base: number; readonly max: number }

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A transient failure should not mean minutes with a less preferred member. */
const TRANSIENT: Step = { base: 5 * SECOND, max: 2 * MINUTE }

/**
 * Used when the provider gives no time. Every large provider counts rate limits per minute; quota and credentials do
 * not recover by themselves.
 */
const schedule: Record<Kind, Step> = {
  overload: TRANSIENT,
  server: TRANSIENT,
  network: TRANSIENT,
  timeout: TRANSIENT,
  unknown: TRANSIENT,
  rate_limit: { base: MINUTE, max: 15 * MINUTE },
  quota: { base: 30 * MINUTE, max: 6 * HOUR },
  auth: { base: 30 * MINUTE, max: 6 * HOUR },
  missing: { base: HOUR, max: DAY },
}

/** The longest window of a plan is a month. */
export const BOUNDS: Bounds = { min: 0, max: 35 * DAY }

/**
 * The longest cooldown for a failure. A used-up plan is avoided until its end. But the member is tried once a day if
 * the limit may end early (a plan is changed, credits are bought), or if the end is later than that of any plan and so
 * cannot be right. Cooldowns for other failures last a day at most.
 */
function longest({ kind, early, retryAfter = 0 }: Pick<Failure, "kind" | "early" | "retryAfter">) {
  return kind === "quota" && !early && retryAfter <= BOUNDS.max ? BOUNDS.max : DAY
}

/**
 * The minimum for a time that a provider gives. If it says "at once", the same member would be asked again and again.
 */
const SHORTEST = SECOND

/** How long consecutive failures are remembered after the cooldown. */
const MEMORY = DAY

/** Failures that new credentials may fix. */
const CURED_BY_CREDENTIALS: readonly Kind[] = ["quota", "auth"]

/**
 * The state after a failure. Consecutive failures lengthen the cooldown if they have the same schedule; others do not
 * affect it. Requests that run at the same time have the same problem, so those that started before the known failure
 * do not count again.
 */
export function fail(
  state: State,
  providerID: string,
  modelID: string,
  failure: Failure,
  now: number,
  more: { readonly bounds?: Bounds; readonly credentials?: string; readonly began?: number } = {},
): State {
  const key =
    failure.scope === "provider" ? CombinedMember.providerKey(providerID) : CombinedMember.key({ providerID, modelID })
  const known = state.get(key)
  const step = schedule[failure.kind]
  const alike = known && schedule[known.kind] === step
  const news = !known || known.since <= (more.began ?? now)
  const before = alike ? known.failures : 0
  const failures = news ? before + 1 : Math.max(before, 1)
  const bounds = more.bounds ?? BOUNDS
  const wait = Math.min(Math.max(waitOf(failure, step, failures), bounds.min), bounds.max, longest(failure))
  const holds = known && known.until > now + wait && !(news && alike)
  if (holds) return new Map(state).set(key, { ...known, since: now })
  return new Map(state).set(key, {
    since: now,
    until: now + wait,
    kind: failure.kind,
    message: failure.message,
    failures,
    ...(more.credentials === undefined ? {} : { credentials: more.credentials }),
  })
}

/**
 * A provider's time is believed once. If the member fails again after it, the time was too short, and the schedule
 * applies.
 */
function waitOf(failure: Failure, step: Step, failures: number) {
  const scheduled = (count: number) => Math.min(step.base * 2 ** (count - 1), step.max)
  if (failure.retryAfter === undefined) return scheduled(failures)
  return Math.max(failure.retryAfter, failures > 1 ? scheduled(failures - 1) : SHORTEST)
}

/** A success clears what was known when its request started at `began`. A later failure in another session stays. */
export function succeed(state: State, providerID: string, modelID: string, began: number): State {
  const stale = [CombinedMember.providerKey(providerID), CombinedMember.key({ providerID, modelID })].flatMap((key) => {
    const item = state.get(key)
    return item && item.failures > 0 && item.since <= began ? [{ key, item }] : []
  })
  if (!stale.length) return state
  return new Map([
    ...state,
    ...stale.map(({ key, item }) => [key, { ...item, since: began, until: item.since, failures: 0 }] as const),
  ])
}

/**
 * The state in which these members, or all, are asked again: what is known about them counts as over. This is recorded
 * like a success, so that other processes learn about it.
 */
export function forget(state: State, members: readonly CombinedMember.Name[] | undefined, now: number): State {
  const keys = members?.flatMap((item) => [CombinedMember.providerKey(item.providerID), CombinedMember.key(item)])
  const ended = [...state].filter(([key, item]) => item.failures > 0 && (keys?.includes(key) ?? true))
  if (!ended.length) return state
  return new Map([
    ...state,
    ...ended.map(
      ([key, item]) => [key, { ...item, since: now, until: Math.min(item.until, now), failures: 0 }] as const,
    ),
  ])
}

/** The cooldown that holds a member back now: its own or its provider's, whichever ends later. */
export function cooling(state: State, providerID: string, modelID: string, now: number): Cooldown | undefined {
  return [state.get(CombinedMember.providerKey(providerID)), state.get(CombinedMember.key({ providerID, modelID }))]
    .filter((item): item is Cooldown => item !== undefined && item.until > now)
    .toSorted((a, b) => b.until - a.until)[0]
}

/** Keys whose cooldown is over, but which have had no success since. */
export function unproven(state: State, providerID: string, modelID: string, now: number): readonly string[] {
  return [CombinedMember.providerKey(providerID), CombinedMember.key({ providerID, modelID })].filter((key) => {
    const item = state.get(key)
    return item !== undefined && item.failures > 0 && item.until <= now
  })
}

/** Of two records for the same member, the later one counts; if both are of the same time, the success. */
export function merge(one: State, other: State): State {
  return [...other].reduce((made, [key, item]) => {
    const known = made.get(key)
    const later = !known || item.since > known.since || (item.since === known.since && item.failures < known.failures)
    return later ? made.set(key, item) : made
  }, new Map<string, Cooldown>(one))
}

/**
 * The records that still count. A record from the future was written before the clock was set back. It is dropped, so
 * that a wrong clock cannot make a cooldown endless.
 */
export function current(
  state: State,
  now: number,
  credentials: (providerID: string, kind: Kind) => string | undefined,
): State {
  const kept = [...state].filter(([key, item]) => {
    if (item.since > now || item.until + MEMORY < now) return false
    if (!item.credentials || !CURED_BY_CREDENTIALS.includes(item.kind)) return true
    const known = credentials(CombinedMember.providerOf(key), item.kind)
    return known === undefined || known === item.credentials
  })
  return kept.length === state.size ? state : new Map(kept)
}

const VERSION = 1

/** The text of the file. `more` is what else is in it; versions that do not know that ignore it. */
export function format(state: State, more: Readonly<Record<string, unknown>> = {}) {
  return JSON.stringify({ version: VERSION, members: Object.fromEntries(state), ...more })
}

/** Reads the JSON that `format` wrote. Anything else gives an empty state: this is a cache, not a document. */
export function read(value: unknown): State {
  if (!isObject(value) || value.version !== VERSION || !isObject(value.members)) return new Map()
  return new Map(
    Object.entries(value.members).flatMap(([key, item]) => {
      if (!key.includes("/") || !isCooldown(item)) return []
      return [[key, { ...item, until: Math.min(item.until, item.since + longest(item)) }] as const]
    }),
  )
}

function isCooldown(value: unknown): value is Cooldown {
  if (!isObject(value)) return false
  const { since, until, kind, message, failures, credentials } = value
  return (
    Number.isFinite(since) &&
    Number.isFinite(until) &&
    Number.isInteger(failures) &&
    Number(failures) >= 0 &&
    KINDS.some((item) => item === kind) &&
    typeof message === "string" &&
    (credentials === undefined || typeof credentials === "string")
  )
}

export * as CombinedCooldown from "./cooldown"
