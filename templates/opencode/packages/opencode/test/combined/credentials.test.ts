import { expect, test } from "bun:test"
import { CombinedCredentials } from "@/combined/credentials"

const provider = { id: "acme", key: "key-one", options: { baseURL: "http://acme.test", fetch: () => undefined } }
const login = { type: "oauth", refresh: "refresh-one", access: "access-one", expires: 1 }

const of = (item: Parameters<typeof CombinedCredentials.fingerprint>[0], stored?: unknown) =>
  CombinedCredentials.fingerprint(item, stored)

test("the same credentials have the same fingerprint, from which they cannot be read", () => {
  expect(of(provider)).toBe(of({ ...provider, options: { ...provider.options } }))
  expect(of(provider)).toMatch(/^[0-9a-f]{16}$/)
})

test("another key, address or login is told apart", () => {
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

test("a token that is renewed by itself is no change", () => {
  expect(of({ ...provider, key: "access-two" }, { ...login, access: "access-two", expires: 2 })).toBe(
    of(provider, login),
  )
})
