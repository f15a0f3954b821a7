import { expect, test } from "bun:test"
import { CombinedTransport } from "@/combined/request/transport"

const answering = (body: BodyInit | ReadableStream<Uint8Array>, type: string, status = 200) => {
  const told: unknown[] = []
  const fetch = CombinedTransport.watched(
    () => Promise.resolve(new Response(body, { status, headers: { "content-type": type } })),
    { tell: (event) => told.push(event) },
  )
  return { told, answer: fetch("http://provider.test", { method: "POST" }) }
}

/** A message of Amazon's event streams. The checksums are left empty, because only the SDK checks them. */
function frame(headers: Record<string, string>, payload: string) {
  const encoder = new TextEncoder()
  const named = Object.entries(headers).flatMap(([name, value]) => {
    const [key, text] = [encoder.encode(name), encoder.encode(value)]
    return [key.length, ...key, 7, text.length >> 8, text.length & 255, ...text]
  })
  const body = encoder.encode(payload)
  const bytes = new Uint8Array(12 + named.length + body.length + 4)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length)
  view.setUint32(4, named.length)
  bytes.set(named, 12)
  bytes.set(body, 12 + named.length)
  return bytes
}

const event = frame({ ":event-type": "contentBlockDelta", ":message-type": "event" }, '{"delta":{"text":"half"}}')
const exception = frame(
  { ":exception-type": "throttlingException", ":message-type": "exception" },
  '{"message":"Too many requests"}',
)

/** The same bytes in pieces of this length, as a network may deliver them. */
function pieces(bytes: Uint8Array, length: number) {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += length) controller.enqueue(bytes.slice(at, at + length))
      controller.close()
    },
  })
}

for (const length of [1, 7, 10_000])
  test(`an exception in one of Amazon's event streams is reported, in pieces of ${length} bytes, and all bytes are passed on`, async () => {
    const bytes = new Uint8Array([...event, ...exception])
    const { told, answer } = answering(pieces(bytes, length), "application/vnd.amazon.eventstream")
    expect(new Uint8Array(await (await answer).arrayBuffer())).toEqual(bytes)
    expect(told).toEqual([{ throttlingException: { message: "Too many requests" } }])
  })

test("an event stream without one reports nothing", async () => {
  const { told, answer } = answering(pieces(event, 5), "application/vnd.amazon.eventstream")
  await (await answer).arrayBuffer()
  expect(told).toEqual([])
})

for (const [what, body, type] of [
  ["JSON", '{"error":{"message":"no"}}', "application/json"],
  ["a page", "<!DOCTYPE html><html></html>", "text/html; charset=utf-8"],
] as const)
  test(`${what} instead of a stream is an error that contains it`, async () => {
    const error = await answering(body, type).answer.then(
      () => undefined,
      (raised: unknown) => raised,
    )
    expect(error).toMatchObject({ name: "CombinedNoStream", responseBody: body })
  })

for (const [what, body, type, status] of [
  ["a stream", "data: {}\n\n", "text/event-stream", 200],
  ["a stream under another name", "data: {}\n\n: ok\n\n", "text/plain", 200],
  ["a refusal, which the SDK reads", '{"error":{}}', "application/json", 429],
  ["nothing", "", "application/json", 200],
  ["a stream of lines of JSON", '{"done":false}\n', "application/x-ndjson", 200],
] as const)
  test(`${what} is passed on unchanged`, async () => {
    const response = await answering(body, type, status).answer
    expect([response.status, await response.text()]).toEqual([status, body])
  })

test("a refusal keeps its meaning and loses the key that it repeats, in its headers and its body", async () => {
  const key = "a key that looks like none"
  const body = JSON.stringify({ error: { message: `Wrong key ${key}`, type: "invalid_api_key" } })
  const fetch = CombinedTransport.watched(
    () =>
      Promise.resolve(
        new Response(body, {
          status: 401,
          headers: { "retry-after": "7", "x-echo": `Bearer ${key}`, "content-length": "9" },
        }),
      ),
    { tell: () => {} },
  )
  const answer = await fetch("http://provider.test", {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "x-api-key": key },
  })
  expect(answer.status).toBe(401)
  expect(answer.headers.get("retry-after")).toBe("7")
  expect([...answer.headers.values()].join()).not.toContain(key)
  const said = await answer.text()
  expect(JSON.parse(said).error.type).toBe("invalid_api_key")
  expect(said).not.toContain(key)
})

test("signs of life are told: the headers, and everything in the body, also comments", async () => {
  const life: string[] = []
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (const piece of [": keep-alive\n\n", "event: ping\ndata: {}\n\n"]) {
        life.push("next")
        controller.enqueue(new TextEncoder().encode(piece))
        await Bun.sleep(1)
      }
      controller.close()
    },
  })
  const headers = { "content-type": "text/event-stream" }
  const fetch = CombinedTransport.watched(() => Promise.resolve(new Response(body, { headers })), {
    tell: () => {},
    hears: () => life.push("heard"),
  })
  const answer = await fetch("http://provider.test", { method: "POST" })
  expect(await answer.text()).toBe(": keep-alive\n\nevent: ping\ndata: {}\n\n")
  expect(life.filter((item) => item === "heard")).toHaveLength(4)
  expect(life.at(-1)).toBe("heard")
})

test("what an answer says about the plan is told, in its headers and in the body of a refusal", async () => {
  const asked = async (response: Response) => {
    const seen: unknown[] = []
    const fetch = CombinedTransport.watched(() => Promise.resolve(response), {
      tell: () => {},
      sees: (windows) => seen.push(...windows.map(({ name, usedShare }) => [name, usedShare])),
    })
    await (await fetch("http://provider.test", { method: "POST" })).text()
    return seen
  }
  const headers = {
    "content-type": "text/event-stream",
    "x-codex-primary-used-percent": "97",
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-after-seconds": "3600",
  }
  expect(await asked(new Response("data: {}\n\n", { headers }))).toEqual([["5-hour window", 0.97]])
  expect(await asked(new Response("{}", { status: 429, headers }))).toEqual([["5-hour window", 0.97]])
  const limits = { "X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7200" }
  const body = { error: { message: "Rate limit exceeded: free-models-per-day", metadata: { headers: limits } } }
  expect(await asked(Response.json(body, { status: 429 }))).toEqual([["requests", 1]])
  expect(await asked(new Response("data: {}\n\n", { headers: { "content-type": "text/event-stream" } }))).toEqual([])
})
