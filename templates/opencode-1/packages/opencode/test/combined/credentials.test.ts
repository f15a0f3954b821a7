import { afterEach, expect, test } from "bun:test"
import { createHash } from "crypto"
import { readFileSync, statSync } from "fs"
import { mkdtemp, rm } from "fs/promises"
import { tmpdir } from "os"
import path from "path"
import { Global } from "@opencode-ai/core/global"
import { CombinedCredentials } from "@/combined/provider/credentials"

const provider = { id: "acme", key: "key-one", options: { baseURL: "http://acme.test", fetch: () => undefined } }
const login = { type: "oauth", refresh: "refresh-one", access: "access-one", expires: 1 }

const of = (item: Parameters<typeof CombinedCredentials.fingerprint>[0], stored?: unknown) =>
  CombinedCredentials.fingerprint(item, stored)

test("equal credentials have equal fingerprints, which do not reveal them", () => {
  expect(of(provider)).toBe(of({ ...provider, options: { ...provider.options } }))
  expect(of(provider)).toMatch(/^[0-9a-f]{16}$/)
})

test("a fingerprint uses a secret of this machine's user, so that nobody can try keys", () => {
  const text = JSON.stringify(["key-one", [["baseURL", "http://acme.test"]], undefined])
  const secret = readFileSync(path.join(Global.Path.state, "combined-health.key"))
  expect(secret.length).toBe(32)
  expect(statSync(path.join(Global.Path.state, "combined-health.key")).mode & 0o777).toBe(0o600)
  expect(of(provider)).not.toBe(createHash("sha256").update(text).digest("hex").slice(0, 16))
})

test("another key, address or login has another fingerprint", () => {
  const prints = [
    of(provider),
    of({ ...provider, key: "key-two" }),
    of({ ...provider, options: { ...provider.options, apiKey: "key-three" } }),
    of({ ...provider, options: { baseURL: "http://other.test" } }),
    of(provider, login),
    of(provider, { ...login, refresh: "refresh-two" }),
  ]
  expect(new Set(prints).size).toBe(prints.length)
})

test("a token that is renewed automatically is no change", () => {
  expect(of({ ...provider, key: "access-two" }, { ...login, access: "access-two", expires: 2 })).toBe(
    of(provider, login),
  )
})

const token = (sub: string, id: string) =>
  ["head", Buffer.from(JSON.stringify({ sub, jti: id })).toString("base64url"), "sig"].join(".")

for (const [what, one, renewed, other] of [
  ["an account id", { accountId: "acc-1" }, { accountId: "acc-1" }, { accountId: "acc-2" }],
  ["its token", { access: token("user-1", "a") }, { access: token("user-1", "b") }, { access: token("user-2", "c") }],
] as const)
  test(`an account that ${what} tells stays the same when its login is renewed, another one is told apart`, () => {
    const account = (stored: object) => CombinedCredentials.fingerprint(provider, stored, true)
    const first = account({ ...login, ...one })
    expect(account({ ...login, refresh: "refresh-two", expires: 2, ...renewed })).toBe(first)
    expect(account({ ...login, refresh: "refresh-three", ...other })).not.toBe(first)
  })

test("an account without an id is identified by its refresh token", () => {
  const account = (stored: object) => CombinedCredentials.fingerprint(provider, stored, true)
  expect(account({ ...login, access: "access-two" })).toBe(account(login))
  expect(account({ ...login, refresh: "refresh-two" })).not.toBe(account(login))
})

test("a login from the environment is used", () => {
  const none = of(provider)
  process.env.OPENCODE_AUTH_CONTENT = JSON.stringify({ acme: { type: "api", key: "key-four" } })
  const given = of(provider)
  process.env.OPENCODE_AUTH_CONTENT = "no JSON, so upstream reads the file"
  expect(of(provider)).toBe(none)
  expect(given).not.toBe(none)
})

const VARIABLES = [
  "OPENCODE_AUTH_CONTENT",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_PROFILE",
  "GOOGLE_APPLICATION_CREDENTIALS",
] as const
const before = VARIABLES.map((name) => [name, process.env[name]] as const)

afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name]
    if (value !== undefined) process.env[name] = value
  }
})

for (const [id, variable] of [
  ["amazon-bedrock", "AWS_SHARED_CREDENTIALS_FILE"],
  ["google-vertex", "GOOGLE_APPLICATION_CREDENTIALS"],
] as const) {
  test(`a login that ${id} finds by itself is distinguished, and another provider's is not`, async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "combined-"))
    const cloud = { id, options: { region: "eu-1" } }
    process.env[variable] = path.join(directory, "login")
    const [none, plain] = [of(cloud), of(provider)]
    await Bun.write(path.join(directory, "login"), "secret")
    // Files are checked once a second.
    await Bun.sleep(1100)
    const some = of(cloud)
    process.env[variable] = path.join(directory, "other")
    await Bun.sleep(1100)
    expect(new Set([none, some, of(cloud)]).size).toBe(3)
    expect(of(provider)).toBe(plain)
    await rm(directory, { recursive: true })
  })
}

test("another profile of AWS is noticed at once", () => {
  const bedrock = { id: "amazon-bedrock", options: {} }
  process.env.AWS_PROFILE = "one"
  const one = of(bedrock)
  process.env.AWS_PROFILE = "two"
  expect(of(bedrock)).not.toBe(one)
})
