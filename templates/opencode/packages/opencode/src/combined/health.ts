/**
 * Cooldowns: which member must be left alone, and until when.
 *
 * The decisions are pure functions on `State`; times are milliseconds since the epoch. One process keeps one `State`.
 */
import type { Failure, Kind } from "./failure"

export type Cooldown = {
  readonly since: number
  readonly until: number
  readonly kind: Kind
  readonly message: string
  /** Failures in a row, which stretch the next cooldown. */
  readonly failures: number
}

export type State = ReadonlyMap<string, Cooldown>

type Step = { readonly base: number; readonly max: number }

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/**
 * Used when the provider names no time. A transient failure must not cost minutes on a worse member; a rate limit is
 * counted in minutes by every large provider; quota and credentials do not come back by themselves.
 */
const schedule: Record<Kind, Step> = {
  overload: { base: 5 * SECOND, max: 2 * MINUTE },
  server: { base: 5 * SECOND, max: 2 * MINUTE },
  network: { base: 5 * SECOND, max: 2 * MINUTE },
  timeout: { base: 5 * SECOND, max: 2 * MINUTE },
  rate_limit: { base: MINUTE, max: 15 * MINUTE },
  quota: { base: 30 * MINUTE, max: 6 * HOUR },
  auth: { base: 30 * MINUTE, max: 6 * HOUR },
  missing: { base: HOUR, max: 24 * HOUR },
}

/** A provider may ask for any time; a cooldown always ends within a day. */
const LONGEST = 24 * HOUR

export function member(providerID: string, modelID: string) {
  return `${providerID}/${modelID}`
}

/** Key of a whole provider. Model ids are never empty, so it cannot be a member's. */
function provider(providerID: string) {
  return `${providerID}/`
}

export function fail(state: State, providerID: string, modelID: string, failure: Failure, now: number): State {
  const key = failure.scope === "provider" ? provider(providerID) : member(providerID, modelID)
  const failures = (state.get(key)?.failures ?? 0) + 1
  const step = schedule[failure.kind]
  const wait = failure.retryAfter ?? Math.min(step.base * 2 ** (failures - 1), step.max)
  return new Map(state).set(key, {
    since: now,
    until: now + Math.min(wait, LONGEST),
    kind: failure.kind,
    message: failure.message,
    failures,
  })
}

/** A success clears what was known when its request began at `began`; a later failure, of another session, stays. */
export function succeed(state: State, providerID: string, modelID: string, began: number): State {
  const keys = [provider(providerID), member(providerID, modelID)]
  const stale = (key: string, item: Cooldown) => keys.includes(key) && item.since <= began
  if (![...state].some(([key, item]) => stale(key, item))) return state
  return new Map([...state].filter(([key, item]) => !stale(key, item)))
}

/** The cooldown that holds a member back now: its own or its provider's, whichever ends later. */
export function cooling(state: State, providerID: string, modelID: string, now: number): Cooldown | undefined {
  return [state.get(provider(providerID)), state.get(member(providerID, modelID))]
    .filter((item): item is Cooldown => item !== undefined && item.until > now)
    .toSorted((a, b) => b.until - a.until)[0]
}

export * as CombinedHealth from "./health"
