import { expect, test } from "bun:test"
import { Effect, Stream } from "effect"
import type { HttpClientResponse } from "effect/unstable/http"
import { CombinedHeard } from "../../src/combined/heard"

const response = {
  headers: { "x-plan": "96" },
  stream: Stream.make(new Uint8Array([1]), new Uint8Array([2])),
} as unknown as HttpClientResponse.HttpClientResponse

const listening = (heard: unknown[], asked: unknown[] = []): CombinedHeard.Listener => ({
  asked: (url, headers) => asked.push(url, headers),
  headers: (headers) => heard.push(headers["x-plan"]),
  sign: () => heard.push("sign"),
  chunk: (chunk) => heard.push(...chunk),
  event: (event) => heard.push(event),
  refused: (error) => heard.push(error),
})

test("whoever asks hears the headers, every chunk and every event of an answer", async () => {
  const heard: unknown[] = []
  const listener = listening(heard)
  const answer = Effect.gen(function* () {
    const found = yield* CombinedHeard.answer(Effect.succeed(response))
    yield* Stream.runDrain(found.stream)
    yield* CombinedHeard.event("event")
  })
  await Effect.runPromise(Effect.provideService(answer, CombinedHeard.Current, listener))
  expect(heard).toEqual(["96", "sign", "sign", 1, "sign", 2, "event"])
})

test("an answer that nobody listens to is passed on as it is", async () => {
  expect(await Effect.runPromise(CombinedHeard.answer(Effect.succeed(response)))).toBe(response)
})

test("what the AI SDK asks with our fetch is heard by whoever asks it, and by nobody else", async () => {
  const heard: unknown[] = []
  const asked: unknown[] = []
  const listener = listening(heard, asked)
  const reply = async (_url: string, _init: object) => new Response("answer", { headers: { "x-plan": "96" } })
  const send = CombinedHeard.fetch(reply)
  const ask = CombinedHeard.promise({
    try: async () => (await send("http://host.test/v1", { headers: { Authorization: "Bearer key" } })).text(),
    catch: (error) => error,
  })
  expect(await Effect.runPromise(Effect.provideService(ask, CombinedHeard.Current, listener))).toBe("answer")
  expect(heard).toEqual(["sign", "96", "sign", "sign", ...new TextEncoder().encode("answer")])
  expect(await Effect.runPromise(ask)).toBe("answer")
  expect(heard).toHaveLength(4 + "answer".length)
  expect(asked).toEqual(["http://host.test/v1", { authorization: "Bearer key" }])
})

test("an error of the AI SDK is heard as it is", async () => {
  const heard: unknown[] = []
  const error = new Error("refused")
  const ask = CombinedHeard.promise({ try: () => Promise.reject(error), catch: () => "lost" })
  const said = Effect.runPromise(Effect.flip(Effect.provideService(ask, CombinedHeard.Current, listening(heard))))
  expect(await said).toBe("lost")
  expect(heard).toEqual([error])
})

test("an event with which an answer fails is heard, even if it comes in pieces", async () => {
  const heard: unknown[] = []
  const chunks = ['data: {"text": "a"}\n\ndata: {"err', 'or": {"code": 503}}\n', '\ndata: {"error": broken\n']
  const send = CombinedHeard.fetch(async () => {
    const body = new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
        controller.close()
      },
    })
    return new Response(body)
  })
  const ask = CombinedHeard.promise({
    try: async () => (await send()).text(),
    catch: (error) => error,
  })
  const listener = listening(heard)
  expect(await Effect.runPromise(Effect.provideService(ask, CombinedHeard.Current, listener))).toBe(chunks.join(""))
  expect(heard.filter((item) => typeof item === "object")).toEqual([{ error: { code: 503 } }])
})
