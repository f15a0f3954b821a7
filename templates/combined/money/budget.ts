/**
 * What was spent, what is held for running requests, and the user's caps. Pure functions on `Ledger`, in dollars and
 * milliseconds since the epoch.
 */
import { squash } from "../identity/scan"
import { isObject, parsed } from "../value"

/** Caps, in dollars. A day, also a provider's, is a day of the local calendar. */
export type Budget = {
  readonly session?: number
  readonly day?: number
  /** The key is the provider's id, `squash`ed. */
  readonly providers: ReadonlyMap<string, number>
}

export type Spend = {
  readonly providerID: string
  /** The session that the user opened. Its subagents' requests count for it. */
  readonly session: string | undefined
  readonly dollars: number
}

/** Money for a running request: what it may cost at most. It expires by itself if its process has died. */
type Hold = Spend & { readonly until: number }

export type Ledger = {
  /** By local date, then by provider. */
  readonly days: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly sessions: ReadonlyMap<string, { readonly dollars: number; readonly at: number }>
  readonly holds: ReadonlyMap<string, Hold>
}

/** A cap that a request might exceed. */
export type Cap = {
  readonly of: "session" | "day" | "provider"
  readonly providerID: string
  readonly limit: number
  readonly spent: number
  readonly held: number
  /** What the request may cost. */
  readonly asked: number
  /** When the day ends. A session's cap has no end. */
  readonly ends?: number
}

export const EMPTY: Ledger = { days: new Map(), sessions: new Map(), holds: new Map() }

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** Longer than nearly all requests. A longer request is still charged when it ends. */
export const LEASE = 30 * MINUTE

/** A session that is continued after this time has its whole cap again. */
const REMEMBERED = 90 * DAY

const MOST_SESSIONS = 5000

/** Tolerance for rounding, since the numbers are sums of many small ones. */
const SLIGHT = 1e-9

/** The first cap that a request might exceed; undefined if it may be sent. */
export function broken(ledger: Ledger, budget: Budget, spend: Spend, now: number): Cap | undefined {
  const { holds } = current(ledger, now)
  const today = ledger.days.get(dayOf(now)) ?? new Map<string, number>()
  const heldBy = (counts: (hold: Hold) => boolean) => sum([...holds.values()].filter(counts).map((one) => one.dollars))
  const provider = squash(spend.providerID)
  const isOurs = ({ providerID }: Hold) => squash(providerID) === provider
  const caps = [
    ...(spend.session === undefined
      ? []
      : [
          {
            of: "session" as const,
            limit: budget.session,
            spent: ledger.sessions.get(spend.session)?.dollars ?? 0,
            held: heldBy((one) => one.session === spend.session),
          },
        ]),
    {
      of: "provider" as const,
      limit: budget.providers.get(provider),
      spent: sum([...today].flatMap(([id, dollars]) => (squash(id) === provider ? [dollars] : []))),
      held: heldBy(isOurs),
      ends: tomorrow(now),
    },
    {
      of: "day" as const,
      limit: budget.day,
      spent: sum([...today.values()]),
      held: heldBy(() => true),
      ends: tomorrow(now),
    },
  ]
  return caps
    .flatMap(({ limit, ...cap }) =>
      limit === undefined ? [] : [{ ...cap, limit, providerID: spend.providerID, asked: spend.dollars }],
    )
    .find(({ limit, spent, held }) => spent + held + spend.dollars > limit + SLIGHT)
}

/** Holds money for a request. */
export function hold(ledger: Ledger, id: string, spend: Spend, now: number): Ledger {
  const known = current(ledger, now)
  return { ...known, holds: new Map(known.holds).set(id, { ...spend, until: now + LEASE }) }
}

/** Replaces what was held for a request by what it has cost. */
export function settle(ledger: Ledger, id: string, spend: Spend, now: number): Ledger {
  const { days, sessions, holds } = current(ledger, now)
  const left = new Map(holds)
  left.delete(id)
  if (!(spend.dollars > 0)) return { days, sessions, holds: left }
  const date = dayOf(now)
  const today = new Map(days.get(date))
  today.set(spend.providerID, (today.get(spend.providerID) ?? 0) + spend.dollars)
  const before = spend.session === undefined ? 0 : (sessions.get(spend.session)?.dollars ?? 0)
  return {
    days: new Map(days).set(date, today),
    sessions:
      spend.session === undefined
        ? sessions
        : new Map(sessions).set(spend.session, { dollars: before + spend.dollars, at: now }),
    holds: left,
  }
}

/**
 * What still counts. Days in the future are kept: the clock may have been wrong for a moment, but what was spent is
 * spent.
 */
export function current(ledger: Ledger, now: number): Ledger {
  const oldest = dayOf(now - 2 * DAY)
  const sessions = [...ledger.sessions].filter(([, one]) => one.at + REMEMBERED > now)
  return {
    days: new Map([...ledger.days].filter(([date]) => date >= oldest)),
    sessions: new Map(sessions.toSorted(([, a], [, b]) => b.at - a.at).slice(0, MOST_SESSIONS)),
    holds: new Map([...ledger.holds].filter(([, one]) => one.until > now && one.until <= now + LEASE)),
  }
}

/** The local date, such as 2026-11-29. */
export function dayOf(now: number) {
  const date = new Date(now)
  const two = (value: number) => String(value).padStart(2, "0")
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

function tomorrow(now: number) {
  const date = new Date(now)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime()
}

const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0)

const VERSION = 1

export function format({ days, sessions, holds }: Ledger) {
  return JSON.stringify({
    version: VERSION,
    days: Object.fromEntries([...days].map(([date, spent]) => [date, Object.fromEntries(spent)])),
    sessions: Object.fromEntries(sessions),
    holds: Object.fromEntries(holds),
  })
}

/** Reads what `format` wrote; undefined if any part of it is damaged. */
export function parse(text: string): Ledger | undefined {
  const value = parsed(text)
  if (!isObject(value) || value.version !== VERSION) return undefined
  const { days, sessions, holds } = value
  if (!isObject(days) || !isObject(sessions) || !isObject(holds)) return undefined
  const dates = Object.entries(days)
  const whole =
    dates.every(([, spent]) => isObject(spent) && Object.values(spent).every(isAmount)) &&
    Object.values(sessions).every((one) => isObject(one) && isAmount(one.dollars) && Number.isFinite(one.at)) &&
    Object.values(holds).every(isHold)
  if (!whole) return undefined
  return {
    days: new Map(dates.map(([date, spent]) => [date, new Map(Object.entries(spent as Record<string, number>))])),
    sessions: new Map(Object.entries(sessions as Record<string, { dollars: number; at: number }>)),
    holds: new Map(Object.entries(holds as Record<string, Hold>)),
  }
}

function isHold(value: unknown): value is Hold {
  return (
    isObject(value) &&
    typeof value.providerID === "string" &&
    (value.session === undefined || typeof value.session === "string") &&
    isAmount(value.dollars) &&
    Number.isFinite(value.until)
  )
}

const isAmount = (value: unknown) => typeof value === "number" && Number.isFinite(value) && value >= 0

export * as CombinedBudget from "./budget"
