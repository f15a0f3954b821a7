/** Tells whether the user has changed a provider's credentials, so that cooldowns that were about them end at once. */
import { createHmac, randomBytes } from "crypto"
import { linkSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "fs"
import { homedir } from "os"
import path from "path"
import { Global } from "@opencode-ai/core/global"
import { CombinedPrivateFile } from "../host/private-file"
import { isObject } from "../value"

type Provider = { readonly id: string; readonly key?: string; readonly options: Record<string, unknown> }

/** Where upstream stores the logins from `opencode auth login`. */
const FILE = path.join(Global.Path.data, "auth.json")

const cache: { stamp?: string; logins: Record<string, unknown> } = { logins: {} }

/**
 * A short hash that is stored with a cooldown. It reveals nothing.
 *
 * @param account whether to identify only the account, so that a new login to the same account changes nothing. Quota
 *   is used up for the account, but a refused login may work again once it is renewed.
 */
export function fingerprint(provider: Provider, login: unknown = logins()[provider.id], account = false) {
  // An OAuth login keeps changing `key` and its tokens; `login` has what they are made from.
  const key = isOAuth(login) ? undefined : provider.key
  const made = isOAuth(login) ? identity(login, account) : login
  const text = JSON.stringify([key, plain(provider.options), made, ...surroundings(provider.id)])
  return createHmac("sha256", secret()).update(text).digest("hex").slice(0, 16)
}

/** Whether the user logged in to an account of the provider, instead of giving a key. */
export function isLogin(providerID: string) {
  return isOAuth(logins()[providerID])
}

/** The fields of a login that are secret (src/auth/index.ts). */
const SECRETS = ["key", "token", "access", "refresh"]

/** The secrets in a provider's login. They must not be stored with what the provider answers. */
export function secrets(providerID: string) {
  const login = logins()[providerID]
  return isObject(login) ? SECRETS.map((name) => login[name]).filter((value) => typeof value === "string") : []
}

/**
 * The key for the hash. Without it, anyone who can read the cooldown file could try keys until one has that
 * fingerprint.
 */
const SECRET = path.join(Global.Path.state, "combined-health.key")

const BYTES = 32

const kept: { secret?: Buffer } = {}

/**
 * The user's secret on this machine. If it cannot be stored, this process has its own, and cooldowns do not outlive it.
 */
function secret() {
  return (kept.secret ??= stored() ?? made() ?? stored() ?? randomBytes(BYTES))
}

function stored() {
  const found = CombinedPrivateFile.read(SECRET, BYTES)
  return found?.length === BYTES ? found : undefined
}

/** Writes the secret beside its place and links it there. Of several processes, only the first one succeeds. */
function made() {
  const draft = `${SECRET}.${process.pid}`
  const fresh = randomBytes(BYTES)
  try {
    rmSync(draft, { force: true })
    writeFileSync(draft, fresh, { mode: 0o600, flag: "wx" })
    linkSync(draft, SECRET)
    return fresh
  } catch {
    return written(SECRET) === undefined ? put(fresh) : undefined
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Used on a file system without links. */
function put(fresh: Buffer) {
  try {
    writeFileSync(SECRET, fresh, { mode: 0o600, flag: "wx" })
    return fresh
  } catch {
    return undefined
  }
}

type Login = { readonly refresh: string; readonly access?: unknown; readonly [key: string]: unknown }

function isOAuth(login: unknown): login is Login {
  return isObject(login) && typeof login.refresh === "string"
}

/**
 * Login tokens are renewed automatically every hour or so; with some providers (ChatGPT, xAI) the refresh token is too.
 * So the account is identified by its id or by the token's subject, and by the token only if neither is known.
 */
function identity({ access, refresh, expires: _, ...rest }: Login, account: boolean) {
  const owner = rest.accountId ?? subject(access)
  return account && owner !== undefined ? [owner, rest] : [refresh, rest]
}

/** The subject of a JSON web token: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2 */
function subject(token: unknown) {
  const [, claims] = typeof token === "string" ? token.split(".") : []
  const value = parsed(claims && Buffer.from(claims, "base64url").toString("utf8"))
  return isObject(value) && typeof value.sub === "string" ? value.sub : undefined
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "")
  } catch {
    return undefined
  }
}

/** Options may also contain functions and clients, which say nothing about credentials. */
function plain(options: Record<string, unknown>) {
  return Object.entries(options).filter(([, value]) => typeof value === "string")
}

type Source = { readonly variables: readonly string[]; readonly files: () => readonly string[] }

const AWS: Source = {
  variables: [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  ],
  files: () => {
    const home = path.join(homedir(), ".aws")
    return [
      process.env.AWS_SHARED_CREDENTIALS_FILE ?? path.join(home, "credentials"),
      process.env.AWS_CONFIG_FILE ?? path.join(home, "config"),
      ...inside(path.join(home, "sso", "cache")),
    ]
  },
}

const GOOGLE: Source = {
  variables: ["GOOGLE_APPLICATION_CREDENTIALS"],
  files: () => [
    process.env.GOOGLE_APPLICATION_CREDENTIALS ??
      path.join(
        process.env.CLOUDSDK_CONFIG ?? path.join(homedir(), ".config", "gcloud"),
        "application_default_credentials.json",
      ),
  ],
}

/** Providers whose SDK finds credentials by itself, outside of OpenCode. */
const SOURCES: Record<string, Source> = {
  "amazon-bedrock": AWS,
  "google-vertex": GOOGLE,
  "google-vertex-anthropic": GOOGLE,
}

/** For how many milliseconds these are cached, because fingerprints are needed many times in one request. */
const FRESH = 1000

const seen = new Map<string, { readonly at: number; readonly facts: unknown }>()

/** Where the SDK looks: the variables, and when each of the files was written. */
function surroundings(id: string): readonly unknown[] {
  const source = SOURCES[id]
  if (!source) return []
  const known = seen.get(id)
  const variables = source.variables.map((name) => process.env[name])
  const now = performance.now()
  if (known && now - known.at < FRESH) return [variables, known.facts]
  const facts = source.files().map((file) => [file, written(file)])
  seen.set(id, { at: now, facts })
  return [variables, facts]
}

function written(file: string) {
  try {
    return statSync(file).mtimeMs
  } catch {
    return undefined
  }
}

function inside(directory: string) {
  try {
    return readdirSync(directory)
      .toSorted()
      .map((name) => path.join(directory, name))
  } catch {
    return []
  }
}

/** If this variable is set, upstream reads all logins from it (src/auth/index.ts), for example in a container. */
const VARIABLE = "OPENCODE_AUTH_CONTENT"

function logins(): Record<string, unknown> {
  const given = parsed(process.env[VARIABLE])
  if (isObject(given)) return given
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

export * as CombinedCredentials from "./credentials"
