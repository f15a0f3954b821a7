/**
 * Cooldowns: which member must be left alone, and until when.
 *
 * Pure functions on `State`; times are milliseconds since the epoch. How a state is shared is in store.ts.
 */
import { KINDS, type Failure, type Kind } from "../failure/classify"
import { CombinedMember } from "../member"

/** What is known of a member or of a whole provider. One that is well again is kept too, so that others learn of it. */
export type Cooldown = {
  readonly since: number
  readonly until: number
  readonly kind: Kind
  readonly message: string
  /** Failures in a row, which stretch the next cooldown; 0 after a success. */
  readonly failures: number
  /** Fingerprint of the credentials that failed. */
  readonly credentials?: string
}

export type State = ReadonlyMap<string, Cooldown>

/** Milliseconds; a cooldown is never shorter or longer, whatever the provider asks for. */
export type Bounds = { readonly min: number; readonly max: number }

type Step = { readonly base: number; readonly max: number }

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A transient failure must not cost minutes on a worse member. */
const TRANSIENT: Step = { base: 5 * SECOND, max: 2 * MINUTE }

/**
 * Used when the provider names no time. A rate limit is counted in minutes by every large provider; quota and credentials
 * do not come back by themselves.
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

/** A provider may ask for any time; a cooldown always ends within a day. */
export const BOUNDS: Bounds = { min: 0, max: DAY }

/** The least that a named time counts for: "at once" would ask the same member again and again, and no other. */
const SHORTEST = SECOND

/** How long failures in a row are remembered once the cooldown is over. */
const MEMORY = DAY

/** Failures that new credentials cure. */
const CURED_BY_CREDENTIALS: readonly Kind[] = ["quota", "auth"]

/**
 * The state after a failure. Failures in a row of one schedule stretch the cooldown; those of other schedules say nothing
 * about it. Requests that were under way together meet the same trouble: of those that began before the known failure
 * none counts as one more.
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
  const wait = Math.min(Math.max(waitOf(failure, step, failures), bounds.min), bounds.max, BOUNDS.max)
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

/** A named time is believed once. When the member fails again after it, it was too short, and the schedule begins. */
function waitOf(failure: Failure, step: Step, failures: number) {
  const scheduled = (count: number) => Math.min(step.base * 2 ** (count - 1), step.max)
  if (failure.retryAfter === undefined) return scheduled(failures)
  return Math.max(failure.retryAfter, failures > 1 ? scheduled(failures - 1) : SHORTEST)
}

/** A success clears what was known when its request began at `began`; a later failure, of another session, stays. */
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

/** The cooldown that holds a member back now: its own or its provider's, whichever ends later. */
export function cooling(state: State, providerID: string, modelID: string, now: number): Cooldown | undefined {
  return [state.get(CombinedMember.providerKey(providerID)), state.get(CombinedMember.key({ providerID, modelID }))]
    .filter((item): item is Cooldown => item !== undefined && item.until > now)
    .toSorted((a, b) => b.until - a.until)[0]
}

/** Keys of what failed last and may be well again: a cooldown that is over and that no success has ended. */
export function unproven(state: State, providerID: string, modelID: string, now: number): readonly string[] {
  return [CombinedMember.providerKey(providerID), CombinedMember.key({ providerID, modelID })].filter((key) => {
    const item = state.get(key)
    return item !== undefined && item.failures > 0 && item.until <= now
  })
}

/** Of two that speak of the same member the later one counts; of two of the same moment the success. */
export function merge(one: State, other: State): State {
  return [...other].reduce((made, [key, item]) => {
    const known = made.get(key)
    const later = !known || item.since > known.since || (item.since === known.since && item.failures < known.failures)
    return later ? made.set(key, item) : made
  }, new Map<string, Cooldown>(one))
}

/**
 * What still counts now. What began in the future was written before the clock was set back, and is dropped; so a wrong
 * clock can neither make a cooldown endless nor keep one alive.
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

export function format(state: State) {
  return JSON.stringify({ version: VERSION, members: Object.fromEntries(state) })
}

/** Reads what `format` wrote. Whatever else it is given makes an empty state: it is a cache, not a document. */
export function parse(text: string): State {
  const value = json(text)
  if (!isObject(value) || value.version !== VERSION || !isObject(value.members)) return new Map()
  return new Map(
    Object.entries(value.members).flatMap(([key, item]) => {
      if (!key.includes("/") || !isCooldown(item)) return []
      return [[key, { ...item, until: Math.min(item.until, item.since + BOUNDS.max) }] as const]
    }),
  )
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null
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
