/**
 * What an answer says about a plan: how much of a window is used, and when the window ends. Pure.
 *
 * Both successful answers and refusals say it, mostly in headers. Each vendor's form is in
 * tests/combined/window.test.ts, with its source.
 */
import { CombinedMoment } from "../failure/moment"
import { isObject } from "../value"

export type Window = {
  /** Completes "96 % of its …": "5-hour window", "premium requests". */
  readonly name: string
  /** From 0 to 1. */
  readonly usedShare: number
  /** Milliseconds since the epoch. */
  readonly endsAt: number
  readonly lengthSeconds?: number
  /** The window belongs to a subscription, so what is left at its end is lost. */
  readonly plan: boolean
  /** It holds only for the model that was asked; otherwise for the whole account. */
  readonly ofModel: boolean
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * A limit that ends sooner than this only slows requests down, and `Retry-After` takes care of it: vendors count such
 * limits per minute. If a limit does not give its length, the time until its end counts.
 */
const SHORTEST = 15 * MINUTE

/** The longest window of a plan is a month. */
const LONGEST_SECONDS = 35 * DAY

/** The same in milliseconds. */
export const LONGEST = LONGEST_SECONDS * 1000

const MOST = { headers: 60, windows: 12, name: 100, value: 300 }

const RELEVANT = /^(?:x-codex-|anthropic-ratelimit-|x-quota-snapshot-|x-usage-ratelimit-|(?:x-)?ratelimit-)/i

type Headers = ReadonlyMap<string, string>

/** The windows in the headers of an answer. Almost no provider sends any, so each header is only looked at once. */
export function read(headers: Iterable<readonly [string, string]>, now: number): readonly Window[] {
  const found = new Map<string, string>()
  for (const [name, value] of headers)
    if (RELEVANT.test(name) && name.length <= MOST.name && value.length <= MOST.value && found.size < MOST.headers)
      found.set(name.toLowerCase(), value)
  if (!found.size) return []
  return bounded([...codex(found, now), ...unified(found, now), ...copilot(found, now), ...limits(found, now)], now)
}

/**
 * The windows in a body or in an event of a stream. OpenRouter repeats its headers in the body of a refusal, and the
 * ChatGPT login may send an event `codex.rate_limits`.
 */
export function inBody(body: unknown, now: number): readonly Window[] {
  if (!isObject(body)) return []
  if (body.type === "codex.rate_limits") return bounded(event(body, now), now)
  const metadata = isObject(body.error) && isObject(body.error.metadata) ? body.error.metadata.headers : undefined
  if (!isObject(metadata)) return []
  return read(
    Object.entries(metadata).flatMap(([name, value]) =>
      typeof value === "string" || typeof value === "number" ? [[name, String(value)] as const] : [],
    ),
    now,
  )
}

/** Only windows whose length fits a plan; of several with one name, the one that is used most. */
function bounded(windows: readonly Window[], now: number) {
  const kept = windows
    .filter(({ usedShare, endsAt, lengthSeconds }) => {
      const left = (endsAt - now) / 1000
      return Number.isFinite(usedShare) && left > 0 && left <= LONGEST_SECONDS && (lengthSeconds ?? left) >= SHORTEST
    })
    .map((item) => ({ ...item, usedShare: Math.min(Math.max(item.usedShare, 0), 1) }))
    .toSorted((a, b) => b.usedShare - a.usedShare)
  return kept
    .filter((item, index) => kept.findIndex((other) => other.name === item.name) === index)
    .slice(0, MOST.windows)
}

/** "x-codex-primary-used-percent". With a family ("x-codex-bengalfox-primary-…") it counts for one model. */
const CODEX = /^x-codex-(?:([\w-]+)-)?(primary|secondary)-used-percent$/

function codex(headers: Headers, now: number) {
  return [...headers].flatMap(([name, value]) => {
    const found = CODEX.exec(name)
    const base = name.slice(0, -"used-percent".length)
    const percent = CombinedMoment.number(value)
    if (!found || percent === undefined) return []
    const minutes = CombinedMoment.number(headers.get(`${base}window-minutes`) ?? "")
    const until = headers.get(`${base}reset-at`) ?? headers.get(`${base}reset-after-seconds`)
    return made(percent / 100, CombinedMoment.moment(until ?? "", now), now, {
      lengthSeconds: minutes === undefined ? undefined : minutes * MINUTE,
      name: `${found[2]} limit`,
      plan: true,
      ofModel: found[1] !== undefined,
    })
  })
}

function event(body: Record<string, unknown>, now: number) {
  const limits = isObject(body.rate_limits) ? body.rate_limits : {}
  return ["primary", "secondary"].flatMap((name) => {
    const found = limits[name]
    if (!isObject(found) || typeof found.used_percent !== "number") return []
    const minutes = typeof found.window_minutes === "number" ? found.window_minutes : undefined
    const until = found.reset_at ?? found.reset_after_seconds
    const left = typeof until === "number" ? CombinedMoment.moment(String(until), now) : undefined
    return made(found.used_percent / 100, left, now, {
      lengthSeconds: minutes === undefined ? undefined : minutes * MINUTE,
      name: `${name} limit`,
      plan: true,
      ofModel: typeof body.metered_limit_name === "string" && body.metered_limit_name !== "codex",
    })
  })
}

/** "anthropic-ratelimit-unified-5h-utilization"; "…-7d_oi-…" and "…-7d_sonnet-…" count for some models. */
const UNIFIED = /^anthropic-ratelimit-unified-(\d{1,3})([hd])(?:[_-](\w+))?-utilization$/

/** The windows that a refusal names if it gives no utilization. */
const CLAIMS: readonly (readonly [string, number])[] = [
  ["five_hour", 5 * HOUR],
  ["seven_day", 7 * DAY],
]

function unified(headers: Headers, now: number) {
  const prefix = "anthropic-ratelimit-unified"
  const windows = [...headers].flatMap(([name, value]) => {
    const found = UNIFIED.exec(name)
    const share = CombinedMoment.number(value)
    if (!found || share === undefined) return []
    const base = name.slice(0, -"utilization".length)
    const rejected = headers.get(`${base}status`)?.trim() === "rejected"
    return made(rejected ? 1 : share, CombinedMoment.moment(headers.get(`${base}reset`) ?? "", now), now, {
      lengthSeconds: Number(found[1]) * (found[2] === "h" ? HOUR : DAY),
      name: `${found[1]}${found[2]} limit`,
      plan: true,
      ofModel: found[3] !== undefined,
    })
  })
  const claim = headers.get(`${prefix}-representative-claim`)?.trim() ?? ""
  const lengthSeconds = CLAIMS.find(([name]) => claim.startsWith(name))?.[1]
  const isRefusal = headers.get(`${prefix}-status`)?.trim() === "rejected"
  if (windows.length || !isRefusal || lengthSeconds === undefined) return windows
  return made(1, CombinedMoment.moment(headers.get(`${prefix}-reset`) ?? "", now), now, {
    lengthSeconds,
    name: "limit",
    plan: true,
    ofModel: !CLAIMS.some(([name]) => name === claim),
  })
}

const COPILOT: Readonly<Record<string, { readonly name: string; readonly lengthSeconds?: number }>> = {
  "x-quota-snapshot-premium_interactions": { name: "premium requests" },
  "x-quota-snapshot-premium_models": { name: "premium requests" },
  "x-quota-snapshot-chat": { name: "chat requests" },
  "x-usage-ratelimit-session": { name: "session limit" },
  "x-usage-ratelimit-weekly": { name: "weekly limit", lengthSeconds: 7 * DAY },
}

/** "ent=300&ov=0.0&ovPerm=false&rem=97.5&rst=2026-12-01T00%3A00%3A00Z", where `rem` is a percentage. */
function copilot(headers: Headers, now: number) {
  return Object.entries(COPILOT).flatMap(([name, known]) => {
    const said = new URLSearchParams(headers.get(name) ?? "")
    const remains = CombinedMoment.number(said.get("rem") ?? "")
    const granted = Number(said.get("ent") ?? 0)
    // -1 means unlimited, and 0 that the plan has no such requests. Session and week have no number of requests.
    const counts = name.startsWith("x-usage-") || granted > 0
    if (remains === undefined || !counts) return []
    return made(1 - remains / 100, CombinedMoment.moment(said.get("rst") ?? "", now), now, {
      ...known,
      plan: true,
      ofModel: false,
    })
  })
}

/** What is left of a limit: "x-ratelimit-remaining-requests-day", "anthropic-ratelimit-tokens-remaining". */
const REMAINING = /^(?:x-)?ratelimit-remaining(?:-([\w-]+))?$|^anthropic-ratelimit-([\w-]+)-remaining$/

/** The unit at the end of a limit's name: "requests-day", "tokens-per-day", "requests-1h". */
const UNIT = /(?:^|-)(?:per-)?(minute|hour|day|month|1h)$/

const LENGTHS: Readonly<Record<string, number>> = {
  minute: MINUTE,
  hour: HOUR,
  "1h": HOUR,
  day: DAY,
  month: 30 * DAY,
}

/** Every vendor counts these separately for each model. */
function limits(headers: Headers, now: number) {
  return [...headers].flatMap(([name, value]) => {
    const found = REMAINING.exec(name)
    const remains = CombinedMoment.number(value)
    const limit = CombinedMoment.number(headers.get(name.replace("remaining", "limit")) ?? "")
    if (!found || remains === undefined || !limit) return []
    const what = found[1] ?? found[2] ?? "requests"
    const length = UNIT.exec(what)?.[1]
    return made(
      1 - remains / limit,
      CombinedMoment.moment(headers.get(name.replace("remaining", "reset")) ?? "", now),
      now,
      {
        lengthSeconds: length === undefined ? undefined : LENGTHS[length],
        name: what.replace(UNIT, "").replaceAll("-", " ") || "requests",
        plan: false,
        ofModel: true,
      },
    )
  })
}

type Kind = Pick<Window, "name" | "plan" | "ofModel"> & { readonly lengthSeconds?: number | undefined }

/** A window is named after its length, because vendors move windows of other lengths into the same place. */
function made(usedShare: number, left: number | undefined, now: number, kind: Kind): Window[] {
  const { lengthSeconds, name, plan, ofModel } = kind
  if (left === undefined) return []
  const shown = lengthSeconds !== undefined && plan ? `${lengthOf(lengthSeconds)} window` : name
  return [
    {
      name: shown,
      usedShare,
      endsAt: now + left,
      plan,
      ofModel,
      ...(lengthSeconds !== undefined && { lengthSeconds }),
    },
  ]
}

function lengthOf(seconds: number) {
  if (seconds === 7 * DAY) return "weekly"
  if (seconds >= 28 * DAY) return "monthly"
  if (seconds === DAY) return "daily"
  if (seconds >= 2 * DAY) return `${Math.round(seconds / DAY)}-day`
  return seconds >= HOUR ? `${Math.round(seconds / HOUR)}-hour` : `${Math.round(seconds / MINUTE)}-minute`
}

/**
 * Whether a provider only sells subscriptions. The ids in the models catalogue show it: zai-coding-plan,
 * kimi-for-coding, xiaomi-token-plan-cn, github-copilot, opencode-go.
 */
export function isPlan(providerID: string) {
  return /(?:^|-)(?:coding|plan|copilot)(?:-|$)|^opencode-go$/.test(providerID)
}

export * as CombinedWindow from "./window"
