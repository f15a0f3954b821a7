/**
 * How much of their plans the user's accounts have used, according to their last answers. Pure functions on `Accounts`;
 * times are milliseconds since the epoch. Shared in the same way as cooldowns (store.ts).
 */
import type { Name } from "../member"
import { CombinedWindow, type Window } from "./window"
import { isObject } from "../value"

/** The windows in one answer. */
type Report = { readonly at: number; readonly windows: readonly Window[] }

/** The key is the account, `provider/fingerprint`, or `provider/fingerprint/model` for limits of one model. */
export type Accounts = ReadonlyMap<string, Report>

/** The account whose windows to look at; without a fingerprint, every account at the provider. */
export type Account = { readonly providerID: string; readonly credentials: string | undefined }

/** The percentage from which on a member is only asked if there is no other one; undefined means never. */
export type Threshold = (providerID: string, window: Window) => number | undefined

export const NONE: Accounts = new Map()

const HOUR = 3_600_000

/**
 * For how long a share above the threshold is believed. Then the member is asked again to find out, since the user may
 * have bought a larger plan.
 */
const BELIEVED = 24 * HOUR

/** Smaller changes are not written, because every answer changes the numbers of a plan a little. */
const SLIGHT = { share: 0.002, time: 60_000, age: HOUR }

const MOST = 300

const UNKNOWN = "-"

/** The state after an answer of a model. It replaces what was known about the account or the model. */
export function see(
  accounts: Accounts,
  { providerID, credentials = UNKNOWN }: Account,
  modelID: string,
  windows: readonly Window[],
  now: number,
): Accounts {
  const account = `${providerID}/${credentials}`
  const reports = [
    [account, windows.filter((item) => !item.ofModel)],
    [`${account}/${modelID}`, windows.filter((item) => item.ofModel)],
  ] as const
  const news = reports.filter(([key, found]) => found.length && !isKnown(accounts.get(key), found, now))
  return news.length
    ? new Map([...accounts, ...news.map(([key, found]) => [key, { at: now, windows: found }] as const)])
    : accounts
}

function isKnown(before: Report | undefined, windows: readonly Window[], now: number) {
  if (!before || before.windows.length !== windows.length) return false
  if (now < before.at || now - before.at >= SLIGHT.age) return false
  return windows.every((item) =>
    before.windows.some(
      (other) =>
        other.name === item.name &&
        Math.abs(other.usedShare - item.usedShare) < SLIGHT.share &&
        Math.abs(other.endsAt - item.endsAt) < SLIGHT.time,
    ),
  )
}

/** The windows that apply to a member and have not ended. If several accounts have the same one, the fullest. */
export function windows(accounts: Accounts, member: Name, account: Account, now: number): readonly Window[] {
  const found = windowsOf(accounts, member, account, now)
    .map((item) => item.window)
    .toSorted((a, b) => b.usedShare - a.usedShare)
  return found.filter((item, index) => found.findIndex((other) => other.name === item.name) === index)
}

/** The accounts without any windows, as if no answer had ever mentioned them. */
export function forget(accounts: Accounts, now: number): Accounts {
  return new Map([...accounts.keys()].map((key) => [key, { at: now, windows: [] }]))
}

/** The windows that apply to a member and have not ended. */
function windowsOf(accounts: Accounts, { modelID }: Name, account: Account, now: number) {
  const { providerID, credentials } = account
  return [...accounts].flatMap(([key, report]) => {
    if (!key.startsWith(`${providerID}/`)) return []
    const [fingerprint, ...model] = key.slice(providerID.length + 1).split("/")
    if (credentials !== undefined && fingerprint !== credentials) return []
    if (model.length && model.join("/") !== modelID) return []
    return report.windows.filter((item) => item.endsAt > now).map((window) => ({ window, at: report.at }))
  })
}

/** The window because of which a member is left for others; of several, the one that ends last. */
export function nearlyUsed(
  accounts: Accounts,
  member: Name,
  account: Account,
  threshold: Threshold,
  now: number,
): Window | undefined {
  return windowsOf(accounts, member, account, now)
    .filter(({ window, at }) => {
      const limit = threshold(member.providerID, window)
      return limit !== undefined && window.usedShare * 100 >= limit && now - at < BELIEVED
    })
    .map((item) => item.window)
    .toSorted((a, b) => b.endsAt - a.endsAt)[0]
}

/** When the member's next window ends; undefined if none is known. */
export function endsNext(accounts: Accounts, member: Name, account: Account, now: number): number | undefined {
  const ends = windowsOf(accounts, member, account, now).map((item) => item.window.endsAt)
  return ends.length ? Math.min(...ends) : undefined
}

/** Of two reports on the same account, the later one counts. */
export function merge(one: Accounts, other: Accounts): Accounts {
  const later = [...other].filter(([key, report]) => (one.get(key)?.at ?? -1) < report.at)
  return later.length ? new Map([...one, ...later]) : one
}

/**
 * The accounts without windows that have ended and without reports from the future, which were made before the clock
 * was set back.
 */
export function current(accounts: Accounts, now: number): Accounts {
  if (
    accounts.size <= MOST &&
    [...accounts.values()].every((item) => item.at <= now && item.windows.every((one) => one.endsAt > now))
  )
    return accounts
  const kept = [...accounts].flatMap(([key, { at, windows }]) => {
    const open = windows.filter((item) => item.endsAt > now)
    return at <= now && open.length ? [[key, { at, windows: open }] as const] : []
  })
  return new Map(kept.toSorted(([, a], [, b]) => b.at - a.at).slice(0, MOST))
}

/** The accounts in the form in which the health file has them and `read` reads them. */
export function plain(accounts: Accounts) {
  return accounts.size ? { accounts: Object.fromEntries(accounts) } : {}
}

/**
 * Reads the JSON of the health file. Whatever does not have the form of `plain` is left out: this is a cache, not a
 * document.
 */
export function read(value: unknown): Accounts {
  const accounts = isObject(value) ? value.accounts : undefined
  if (!isObject(accounts)) return NONE
  return new Map(
    Object.entries(accounts).flatMap(([key, report]) => {
      if (!key.includes("/") || !isReport(report)) return []
      const { at } = report
      const windows = report.windows.filter(isWindow).filter((item) => item.endsAt <= at + CombinedWindow.LONGEST)
      return windows.length ? [[key, { at, windows }] as const] : []
    }),
  )
}

function isReport(value: unknown): value is { readonly at: number; readonly windows: readonly unknown[] } {
  return isObject(value) && Number.isFinite(value.at) && Array.isArray(value.windows)
}

function isWindow(value: unknown): value is Window {
  if (!isObject(value)) return false
  const { name, usedShare, endsAt, lengthSeconds, plan, ofModel } = value
  return (
    typeof name === "string" &&
    name.length < 100 &&
    typeof usedShare === "number" &&
    usedShare >= 0 &&
    usedShare <= 1 &&
    Number.isFinite(endsAt) &&
    (lengthSeconds === undefined || Number.isFinite(lengthSeconds)) &&
    typeof plan === "boolean" &&
    typeof ofModel === "boolean"
  )
}

export * as CombinedAccounts from "./accounts"
