/** Tells whether the user has changed a provider's credentials, so that what they caused ends at once. */
import { createHash } from "crypto"
import { readFileSync, statSync } from "fs"
import path from "path"
import { Global } from "@opencode-ai/core/global"

type Provider = { readonly id: string; readonly key?: string; readonly options: Record<string, unknown> }

/** Where upstream keeps what `opencode auth login` was told. */
const FILE = path.join(Global.Path.data, "auth.json")

/** These are renewed by themselves every hour or so; a login changes others too. */
const RENEWED = ["access", "expires"]

const cache: { stamp?: string; logins: Record<string, unknown> } = { logins: {} }

/** A short hash from which nothing can be read back: it is stored beside a cooldown. */
export function fingerprint(provider: Provider, login: unknown = logins()[provider.id]) {
  // An OAuth login fills `key` and its tokens in anew; what it was made from stands in `login`.
  const facts = [isObject(login) && "refresh" in login ? undefined : provider.key, plain(provider.options), login]
  const text = JSON.stringify(facts, (name, value: unknown) => (RENEWED.includes(name) ? undefined : value))
  return createHash("sha256").update(text).digest("hex").slice(0, 16)
}

/** Options may hold functions and clients too, which say nothing about credentials. */
function plain(options: Record<string, unknown>) {
  return Object.entries(options).filter(([, value]) => typeof value === "string")
}

function logins(): Record<string, unknown> {
  try {
    const { mtimeMs, ino } = statSync(FILE)
    const stamp = `${ino}:${mtimeMs}`
    if (stamp === cache.stamp) return cache.logins
    const value: unknown = JSON.parse(readFileSync(FILE, "utf8"))
    cache.stamp = stamp
    cache.logins = isObject(value) ? value : {}
  } catch {
    // Nobody has logged in, or the file is being written.
  }
  return cache.logins
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null
}

export * as CombinedCredentials from "./credentials"
