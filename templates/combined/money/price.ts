/** What a member's requests cost the user. Pure. */
import { CombinedWindow } from "../health/window"
import type { Name } from "../member"

/** `plan`: a subscription that is paid anyway. `metered`: each request is billed. `free`: nobody is billed. */
export type PriceClass = "plan" | "metered" | "free"

type Rates = {
  readonly input: number
  readonly output: number
  readonly cache?: { readonly read?: number; readonly write?: number }
}

/** Dollars per million tokens, in OpenCode's form. Long conversations may cost more. */
export type Price = Rates & {
  readonly tiers?: readonly (Rates & { readonly tier: { readonly size: number } })[]
  readonly experimentalOver200K?: Rates
}

export type Facts = {
  readonly member: Name
  /** The provider's id in the catalogue; a further account has an id of its own. */
  readonly provider: string
  /** The user logged in to an account (OAuth), instead of giving a key. */
  readonly login: boolean
  /** Undefined if unknown. */
  readonly price: Price | undefined
  /** The provider's server runs on this machine. */
  readonly local: boolean
  /** What the user's settings say. */
  readonly own: PriceClass | undefined
}

/** Providers whose login is not a subscription: requests are billed to the account. */
const BILLED_LOGINS = ["digitalocean", "opencode", "snowflake-cortex"]

/** An unknown price counts as metered, unless the provider is local. */
export function classOf({ provider, login, price, local, own }: Facts): PriceClass {
  if (own) return own
  if (CombinedWindow.isPlan(provider) || (login && !BILLED_LOGINS.includes(provider))) return "plan"
  if (price === undefined) return local ? "free" : "metered"
  return ratesOf(price).some((rates) => rates.input > 0 || rates.output > 0) ? "metered" : "free"
}

/** Whether an address is that of this machine. Note that a proxy there may pass requests on to anyone. */
export function isLocal(address: string | undefined) {
  const host = URL.parse(address ?? "")?.hostname ?? ""
  return /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1\])$/.test(host)
}

/** What a request may cost at most, in dollars; `input` is the part that is billed even if the answer breaks off. */
export type Estimate = { readonly input: number; readonly total: number }

const MILLION = 1_000_000

const LONG = 200_000

/**
 * The highest possible cost. A provider may write all of the input to a cache, which can cost more than plain input.
 */
export function estimate(price: Price, tokens: { readonly input: number; readonly output: number }): Estimate {
  const applies = ratesOf(price, tokens.input)
  const most = (read: (rates: Rates) => number) => Math.max(...applies.map(read))
  const input = (most((rates) => Math.max(rates.input, rates.cache?.write ?? 0)) * tokens.input) / MILLION
  return { input, total: input + (most((rates) => rates.output) * tokens.output) / MILLION }
}

/** The prices that may apply to a conversation of at most this many tokens. */
function ratesOf(price: Price, tokens = Number.MAX_SAFE_INTEGER): readonly Rates[] {
  const over = price.experimentalOver200K
  return [
    price,
    ...(price.tiers ?? []).filter((rates) => tokens > rates.tier.size),
    ...(over && tokens > LONG ? [over] : []),
  ]
}

/** For an image or another file, whatever its size; a large document takes more. */
const FILE = { tokens: 6000, bytes: 100 }

const ENCODED = /^(?:data:[^,]*;base64,)?[A-Za-z0-9+/_=-]{2000,}$/

/** Every known tokenizer makes fewer tokens than this from text in any language. */
const BYTES_PER_TOKEN = 2

/** An upper bound for the tokens of a request that consists of these values. */
export function tokensOf(...values: readonly unknown[]): number {
  const files = { tokens: 0 }
  const file = (size: number) => {
    files.tokens += FILE.tokens + size / FILE.bytes
    return ""
  }
  const text = JSON.stringify(values, (_, value: unknown) => {
    if (ArrayBuffer.isView(value)) return file(value.byteLength)
    return typeof value === "string" && ENCODED.test(value) ? file(value.length) : value
  })
  return Math.ceil(new TextEncoder().encode(text).length / BYTES_PER_TOKEN + files.tokens)
}

export * as CombinedPrice from "./price"
