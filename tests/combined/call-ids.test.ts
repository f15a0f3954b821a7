import { describe, expect, test } from "bun:test"
import { CombinedCallIds } from "@/combined/history/call-ids"

const LONG = `call_${"x".repeat(90)}`
const OTHERS = [
  LONG,
  "functions.bash:0",
  "call_1234567890abcdef",
  "toolu_01AbCdEf",
  "chatcmpl-tool-1",
  "chatcmpl-tool-2",
  "",
  "ü|é",
]

const readers = {
  mistral: { npm: "@ai-sdk/mistral", id: "mistral-large", providerID: "mistral" },
  devstral: { npm: "@ai-sdk/openai-compatible", id: "devstral-small", providerID: "acme" },
  anthropic: { npm: "@ai-sdk/anthropic", id: "claude-sonnet-4-5", providerID: "anthropic" },
  bedrock: { npm: "@ai-sdk/amazon-bedrock", id: "anthropic.claude", providerID: "amazon-bedrock" },
  responses: { npm: "@ai-sdk/openai", id: "gpt-5", providerID: "openai" },
  azure: { npm: "@ai-sdk/azure", id: "gpt-5", providerID: "azure" },
  chat: { npm: "@ai-sdk/openai-compatible", id: "kimi-k2", providerID: "acme" },
} as const

const wanted = {
  mistral: /^[a-zA-Z0-9]{9}$/,
  devstral: /^[a-zA-Z0-9]{9}$/,
  anthropic: /^[a-zA-Z0-9_-]{1,64}$/,
  bedrock: /^[a-zA-Z0-9_-]{1,64}$/,
  responses: /^[a-zA-Z0-9_-]{1,64}$/,
  azure: /^.{1,40}$/,
  chat: /^.{1,40}$/,
} as const

const names = (reader: keyof typeof readers, ids: readonly string[]) => {
  const namer = CombinedCallIds.namer(CombinedCallIds.formFor(readers[reader]), ids)
  return ids.map((id) => namer.call(id))
}

for (const reader of Object.keys(readers) as (keyof typeof readers)[]) {
  describe(`${reader} accepts the calls of others`, () => {
    test("in its own form, each under a name of its own", () => {
      const found = names(reader, OTHERS)
      for (const name of found) expect(name).toMatch(wanted[reader])
      expect(new Set(found).size).toBe(OTHERS.length)
    })
    test("under the same names each time, also when more has come behind them", () =>
      expect(names(reader, [...OTHERS, "call_more"]).slice(0, OTHERS.length)).toEqual(names(reader, OTHERS)))
  })
}

test("an id that fits stays as it is", () => {
  expect(names("responses", ["call_abc"])).toEqual(["call_abc"])
  expect(names("chat", ["functions.bash:0"])).toEqual(["functions.bash:0"])
  expect(names("mistral", ["aB3dE6gH9"])).toEqual(["aB3dE6gH9"])
})

test("a result has the name of its call, whatever the order in which others came", () => {
  const namer = CombinedCallIds.namer(CombinedCallIds.STRICTEST, [LONG, "call_1"])
  const [long, short] = [namer.call(LONG), namer.call("call_1")]
  expect([namer.result("call_1"), namer.result(LONG)]).toEqual([short, long])
})

test("of two calls with one id, as of a server that counts anew in each answer, each keeps its own result", () => {
  const namer = CombinedCallIds.namer(CombinedCallIds.formFor(readers.anthropic), ["call_0", "call_0"])
  const first = namer.call("call_0")
  expect(namer.result("call_0")).toBe(first)
  const second = namer.call("call_0")
  expect(second).not.toBe(first)
  expect(namer.result("call_0")).toBe(second)
  const together = CombinedCallIds.namer(CombinedCallIds.formFor(readers.anthropic), ["", ""])
  const both = [together.call(""), together.call("")]
  expect([together.result(""), together.result("")]).toEqual(both)
})

test("no new name already exists in the history", () => {
  const [made] = names("mistral", [LONG])
  const found = names("mistral", [LONG, made])
  expect(new Set(found).size).toBe(2)
  expect(found[1]).toBe(made)
})

test("many calls do not collide: a long session at Mistral", () => {
  const ids = Array.from({ length: 5000 }, (_, index) => `chatcmpl-tool-${index.toString(16).padStart(32, "0")}`)
  expect(new Set(names("mistral", ids)).size).toBe(ids.length)
})
