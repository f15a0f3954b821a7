/** What the gate in front of the AI SDK lets through. */
import { expect, test } from "bun:test"
import type { LanguageModelV3CallOptions, LanguageModelV3StreamPart } from "@ai-sdk/provider"
import { CombinedGate } from "@/combined/request/gate"
import { ProviderTest } from "../fake/provider"

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

const raw = (rawValue: unknown): LanguageModelV3StreamPart => ({ type: "raw", rawValue })
const said: LanguageModelV3StreamPart = { type: "text-delta", id: "t", delta: "half" }
const called = (input: string): LanguageModelV3StreamPart => ({
  type: "tool-call",
  toolCallId: "c",
  toolName: "bash",
  input,
})
const finish = (
  unified: "stop" | "length" | "tool-calls" | "error" | "other",
  word?: string,
): LanguageModelV3StreamPart => ({ type: "finish", usage, finishReason: { unified, raw: word } })

/** The parts of an answer that the gate lets through, and what it has noted. */
const passed = (...parts: LanguageModelV3StreamPart[]) => through(CombinedGate.open(), ...parts)

async function through(gate: CombinedGate.Gate, ...parts: LanguageModelV3StreamPart[]) {
  const language = {
    config: {},
    doStream: (_: LanguageModelV3CallOptions) =>
      Promise.resolve({ stream: new Blob().stream().pipeThrough(script(parts)) }),
  }
  const guarded = CombinedGate.guarded(CombinedGate.put(ProviderTest.model(), gate), language)
  const { stream } = await guarded.doStream({ prompt: [] })
  const came: LanguageModelV3StreamPart[] = []
  await stream.pipeTo(new WritableStream({ write: (part) => void came.push(part) }))
  return { gate, parts: came }
}

function script(parts: LanguageModelV3StreamPart[]) {
  return new TransformStream<unknown, LanguageModelV3StreamPart>({
    flush: (controller) => parts.forEach((part) => controller.enqueue(part)),
  })
}

const types = (parts: readonly LanguageModelV3StreamPart[]) => parts.map((part) => part.type)

for (const [what, part] of [
  ["the line", finish("other", "network_error")],
  ["an error", finish("error")],
  ["silence", finish("other")],
  ["the length", finish("length", "length")],
  ["a word that nobody has seen", finish("tool-calls", "zorp")],
] as const)
  test(`a call that is cut off by ${what} is dropped, and named`, async () => {
    const { gate, parts } = await passed(called('{"command": "ec'), part)
    expect(types(parts)).toEqual(["finish"])
    expect(gate.cut).toBe("bash")
    const end = parts.at(-1)
    expect(end?.type === "finish" && ["error", "other"].includes(end.finishReason.unified)).toBe(true)
  })

test("a call without arguments is passed on if the answer is complete", async () => {
  const { gate, parts } = await passed(called(""), finish("tool-calls", "tool_calls"))
  expect(types(parts)).toEqual(["tool-call", "finish"])
  expect([gate.cut, gate.garbled]).toEqual([undefined, false])
})

test("a call with unreadable arguments is dropped even if the answer is said to be complete", async () => {
  const { gate, parts } = await passed(called('{"command": "ec'), finish("tool-calls", "tool_calls"))
  expect(types(parts)).toEqual(["finish"])
  expect([gate.cut, gate.garbled]).toEqual(["bash", true])
})

test("an error that the SDK reports is passed on in its words, and nothing after it", async () => {
  const event = { error: { message: "Overloaded", code: 529 } }
  const { gate, parts } = await passed(said, raw(event), { type: "error", error: "Overloaded" }, called("{}"))
  expect(types(parts)).toEqual(["text-delta", "error"])
  expect(parts.at(-1)).toMatchObject({ error: "Overloaded" })
  expect(gate.failed).toEqual({ event })
})

test("one that the SDK ignores is reported instead", async () => {
  const event = { error: { message: "The model is overloaded", status: "UNAVAILABLE" } }
  const { gate, parts } = await passed(said, raw(event), finish("other"))
  expect(types(parts)).toEqual(["text-delta", "error"])
  expect(String((parts.at(-1) as { error?: unknown }).error)).toContain("The model is overloaded")
  expect(gate.failed).toEqual({ event })
})

test("the provider's own word for the end is kept", async () => {
  const { gate, parts } = await passed(said, finish("other", "eos"))
  expect(gate.ending).toBe("eos")
  expect(parts.at(-1)).toMatchObject({ finishReason: { unified: "stop", raw: "eos" } })
})

test("a request that may not be made any more is not sent", async () => {
  const sent: string[] = []
  const language = {
    config: { fetch: async (url: string) => new Response((sent.push(url), null)) },
    async doStream(this: { config: { fetch: (url: string) => Promise<Response> } }, _: LanguageModelV3CallOptions) {
      await this.config.fetch("http://127.0.0.1")
      return { stream: new Blob().stream().pipeThrough(script([finish("stop")])) }
    },
  }
  const gate = CombinedGate.open()
  const guarded = CombinedGate.guarded(CombinedGate.put(ProviderTest.model(), gate), language)
  await guarded.doStream({ prompt: [] })
  expect([sent.length, gate.unsent]).toEqual([1, false])
  gate.mayAsk = () => false
  expect(guarded.doStream({ prompt: [] })).rejects.toThrow("Not sent")
  await Bun.sleep(0)
  expect([sent.length, gate.unsent]).toEqual([1, true])
})

const KEY = "a-key-of-no-known-form"

/** A provider that is sent the key, and then answers with a stream of these parts or raises this error. */
function keyed(outcome: LanguageModelV3StreamPart[] | Error) {
  const gate = CombinedGate.open()
  const stream = new Response("data: {}\n\n", { headers: { "content-type": "text/event-stream" } })
  const language = {
    config: { fetch: (_: string, __?: RequestInit) => Promise.resolve(stream) },
    async doStream(_: LanguageModelV3CallOptions) {
      await this.config.fetch("https://me:pass-of-mine@host.test/v1", { headers: { authorization: `Bearer ${KEY}` } })
      if (outcome instanceof Error) throw outcome
      return { stream: new Blob().stream().pipeThrough(script(outcome)) }
    },
  }
  return { gate, guarded: CombinedGate.guarded(CombinedGate.put(ProviderTest.model(), gate), language) }
}

for (const [what, ...parts] of [
  ["its SDK's words", { type: "error", error: `Wrong key ${KEY}` }],
  ["an error of its SDK", { type: "error", error: Object.assign(new Error(KEY), { data: { [KEY]: [KEY] } }) }],
  ["an event that its SDK passes over", raw({ error: { message: KEY, metadata: { raw: KEY } } }), finish("other")],
  ["an event before its SDK's error", raw({ choices: [], echo: KEY }), { type: "error", error: new Error("no") }],
  ["the word for the end", finish("other", `stop ${KEY}`)],
] as const satisfies readonly (readonly [string, ...LanguageModelV3StreamPart[]])[])
  test(`a key that an answer repeats in ${what} is taken out of it`, async () => {
    const { gate, guarded } = keyed([said, ...parts])
    const came: unknown[] = []
    const { stream } = await guarded.doStream({ prompt: [] })
    await stream.pipeTo(new WritableStream({ write: (part) => void (part.type === "error" && came.push(part.error)) }))
    expect(came.length + Number(gate.ending !== undefined)).toBe(1)
    expect(Bun.inspect([came, gate.failed, gate.ending], { depth: 20 })).toContain("[redacted]")
    expect(Bun.inspect([came, gate.failed, gate.ending], { depth: 20 })).not.toContain(KEY)
  })

test("what a failed request says loses the key and the login of its address", async () => {
  const raised = Object.assign(new Error(`no ${KEY}`), {
    url: "https://me:pass-of-mine@host.test/v1",
    responseBody: JSON.stringify({ said: KEY }),
    cause: new Error(KEY),
  })
  const found = await keyed(raised)
    .guarded.doStream({ prompt: [] })
    .catch((error: unknown) => error)
  expect(found).toBe(raised)
  const said = [raised.message, raised.url, raised.responseBody, String(raised.cause)].join()
  expect(said).not.toContain(KEY)
  expect(said).not.toContain("pass-of-mine")
})

test("a model's answer is inspected on its way to the SDK, and the model itself is unchanged", async () => {
  const asked: unknown[] = []
  const fetch = () =>
    Promise.resolve(new Response('{"error":{"message":"no"}}', { headers: { "content-type": "application/json" } }))
  const language = {
    config: { provider: "acme", fetch },
    async doStream(_: LanguageModelV3CallOptions) {
      asked.push(this.config.provider)
      await this.config.fetch()
    },
  }
  const guarded = CombinedGate.guarded(CombinedGate.put(ProviderTest.model(), CombinedGate.open()), language)
  await expect(guarded.doStream({ prompt: [] })).rejects.toMatchObject({ name: "CombinedNoStream" })
  expect(asked).toEqual(["acme"])
  expect(language.config.fetch).toBe(fetch)
})

test("an event that says how much of the plan is used is read, and not passed on", async () => {
  const gate = CombinedGate.open()
  const seen: unknown[] = []
  gate.sees = (windows) => seen.push(...windows.map((item) => item.usedShare))
  const rate_limits = {
    primary: { used_percent: 97, window_minutes: 300, reset_at: Math.ceil(Date.now() / 1000) + 60 },
  }
  const { parts } = await through(gate, raw({ type: "codex.rate_limits", rate_limits }), said, finish("stop"))
  expect(seen).toEqual([0.97])
  expect(types(parts)).toEqual(["text-delta", "finish"])
})
