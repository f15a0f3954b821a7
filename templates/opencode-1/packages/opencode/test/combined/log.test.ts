import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "fs"
import os from "os"
import path from "path"
import { Effect, Fiber } from "effect"
import { Global } from "@opencode-ai/core/global"
import { CombinedHealthFile } from "@/combined/host/health-file"
import { CombinedLog } from "@/combined/host/log"
import { EventV2Bridge } from "@/event-v2-bridge"
import { SessionPrompt } from "@/session/prompt"
import type { SessionID } from "@/session/schema"
import { Session } from "@/session/session"
import { pollWithTimeout } from "../lib/effect"
import { type Answer, call, cut, event, finish, gate, refuse, say, stream, text, wait } from "./fake-provider"
import { ANSWER, COST, KEY, announced, combinedSession, it, written } from "./rig"

setDefaultTimeout(30_000)

const recorded = (session: string, file = CombinedLog.FILE, purpose = "step") =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line): CombinedLog.Record => JSON.parse(line))
    .filter((item) => item.session === session && item.purpose === purpose)

it.instance("each attempt leaves a record: who, how far, why it ended, what followed, what it cost", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { max_attempts: 2 } })
    chat.first.answer(
      stream(
        say("half"),
        wait(() => Bun.sleep(100)),
        cut,
      ),
      refuse(429, { error: { message: "Slow down" } }),
    )
    chat.second.answer(text("answered", { input: 1000, output: 100 }))
    yield* chat.ask("hello")

    const [asked] = yield* chat.history
    const records = recorded(chat.id)
    expect(records).toMatchObject([
      { provider: chat.ids.first, phase: "text", action: "repeated", failure: "network" },
      { provider: chat.ids.first, phase: "request", action: "moved", failure: "rate_limit", reason: "429 Slow down" },
      { provider: chat.ids.second, phase: "text", action: "served", tokens: { input: 1000, output: 100 } },
    ])
    expect(records[1].next).toBe(`${chat.ids.second}/glm-4.6`)
    expect(records[2].cost).toBeCloseTo((1000 * COST.second.input + 100 * COST.second.output) / 1_000_000)
    expect(records.every((item) => item.message === asked.info.id && item.start <= item.end)).toBe(true)
    expect(records.map((item) => item.first_token === undefined)).toEqual([false, true, false])
  }),
)

it.instance("the record has finished tools, a variant that the member lacks and the user's cancel", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    const door = gate()
    const input = { command: "echo ran >> ran", description: "Leave a mark" }
    chat.first.answer(
      stream(
        call(0, "call_one", "bash", input),
        wait(() => written(chat.file("ran"))),
        cut,
      ),
    )
    chat.second.answer(stream(say("wait"), door.wait, ...finish("stop")))
    const turn = yield* chat.ask("hello", { variant: "fast" }).pipe(Effect.forkChild)
    yield* Effect.promise(() => chat.second.times(1))
    yield* chat.holds((part) => part.type === "text")
    yield* prompt.cancel(chat.id)
    yield* Fiber.await(turn)
    yield* door.open

    expect(recorded(chat.id)).toMatchObject([
      { action: "moved", tools: 1, phase: "tool", variant: "fast", own_variant: null },
      { action: "cancelled", phase: "text", provider: chat.ids.second },
    ])
  }),
)

it.instance("a record names the answer, the combined model and the member, and times that are its own", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const [first, second] = [gate(), gate()]
    const usage = { prompt_tokens: 1000, completion_tokens: 100, prompt_tokens_details: { cached_tokens: 400 } }
    chat.first.answer(
      stream(
        first.wait,
        say("hello"),
        second.wait,
        event({
          id: "chat-1",
          object: "chat.completion.chunk",
          choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
          usage: { ...usage, total_tokens: 1100 },
        }),
      ),
    )
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* Effect.promise(() => chat.first.times(1))
    yield* Effect.sleep("200 millis")
    yield* first.open
    yield* chat.holds((part) => part.type === "text")
    yield* Effect.sleep("200 millis")
    yield* second.open
    yield* Fiber.join(turn)

    const [answer] = yield* chat.answers
    const [record] = recorded(chat.id)
    expect(record).toMatchObject({
      answer: answer.info.id,
      combined: String(chat.model.modelID),
      provider: chat.ids.first,
      model: "glm-4.6",
      tokens: { input: 600, output: 100, cache_read: 400 },
    })
    // The test has held back the first word, and then the end.
    const firstToken = record.first_token ?? NaN
    expect(firstToken).toBeGreaterThanOrEqual(150)
    expect(Date.parse(record.end) - Date.parse(record.start)).toBeGreaterThanOrEqual(firstToken + 150)
  }),
)

it.instance("the session's status says who takes over, and why", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const lines = yield* announced(chat.id)
    chat.first.answer(refuse(429, { error: { message: "Slow down" } }))
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")

    expect(lines).toEqual([`Failover: ${chat.ids.first} (429 Slow down), ${chat.ids.second} takes over`])
  }),
)

it.instance("it says that the new member lacks the variant", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const lines = yield* announced(chat.id)
    chat.first.answer(refuse(429, { error: { message: "Slow down" } }))
    chat.second.answer(text("answered"))
    yield* chat.ask("hello", { variant: "fast" })

    const switched = `Failover: ${chat.ids.first} (429 Slow down), ${chat.ids.second} takes over`
    expect(lines).toEqual([`${switched} without the variant fast`])
  }),
)

it.instance("it says that the conversation is too long for one", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { first: { limit: { context: 60_000, output: 10_000 } } } })
    const lines = yield* announced(chat.id)
    chat.first.answer(
      refuse(400, {
        error: { message: "This model's maximum context length is 60000 tokens", code: "context_length_exceeded" },
      }),
    )
    chat.second.answer(text("there is room"))
    yield* chat.ask("hello")

    const { first, second } = chat.ids
    expect(lines).toEqual([`Failover: ${first} (The conversation is too long for it), ${second} takes over`])
  }),
)

it.instance("a structured answer ends the turn even if all members are unavailable", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(refuse(429, { error: { message: "Slow down" } }, { "retry-after": "30" }))
    chat.second.answer(
      stream(
        call(0, "call_one", "StructuredOutput", { answer: 42 }),
        wait(() => Bun.sleep(300)),
        cut,
      ),
    )
    const result = yield* chat.ask("hello", {
      format: ANSWER,
    })

    expect(result.info.role === "assistant" ? result.info.structured : undefined).toEqual({ answer: 42 })
    expect(result.info.role === "assistant" ? result.info.error : undefined).toBeUndefined()
    expect(recorded(chat.id).at(-1)).toMatchObject({ action: "ended", tools: 1 })
  }),
)

const titles = (session: string) => recorded(session, CombinedLog.FILE, "title")

const titled = Effect.fn("test.titled")(function* (id: SessionID, title: string) {
  const sessions = yield* Session.Service
  yield* pollWithTimeout(
    sessions.get(id).pipe(Effect.map((item) => (item.title === title ? true : undefined))),
    `the session was never called ${title}`,
  )
})

it.instance("a title leaves records too", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false })
    chat.first.answerTitle(refuse(429, { error: { message: "Slow down" } }))
    chat.first.answer(text("hello"))
    chat.second.answerTitle(text("Greeting", { input: 10, output: 5 }))
    chat.second.answer(text("hello"))
    yield* chat.ask("hello")
    yield* titled(chat.id, "Greeting")

    const [asked] = yield* chat.history
    const records = titles(chat.id)
    expect(records).toMatchObject([
      { provider: chat.ids.first, action: "moved", failure: "rate_limit", phase: "request", cost: 0 },
      { provider: chat.ids.second, action: "served", phase: "text", tokens: { input: 10, output: 5 } },
    ])
    expect(records[1].cost).toBeCloseTo((10 * COST.second.input + 5 * COST.second.output) / 1_000_000, 10)
    expect(records.every((item) => item.message === asked.info.id && item.variant === undefined)).toBe(true)
  }),
)

for (const [what, answer] of [
  ["is empty", stream(...finish("stop"))],
  ["ends without a finish reason", stream(say("Greet"))],
  ["fails in the middle", stream(say("Greet"), event({ error: { message: "Provider returned error" } }))],
] as const) {
  it.instance(`for a title that ${what} the next member is asked`, () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession({ title: false })
      chat.first.answerTitle(answer)
      chat.first.answer(text("hello"))
      chat.second.answerTitle(text("Greeting"))
      chat.second.answer(text("hello"))
      yield* chat.ask("hello")
      yield* titled(chat.id, "Greeting")

      expect(titles(chat.id).map((item) => item.action)).toEqual(["moved", "served"])
    }),
  )
}

it.instance("if a member is silent the next one is asked for the title", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false, combined: { first_token_timeout: 1000 } })
    chat.first.answerTitle(stream(wait(() => new Promise(() => {}))))
    chat.first.answer(text("hello"))
    chat.second.answerTitle(text("Greeting"))
    chat.second.answer(text("hello"))
    yield* chat.ask("hello")
    yield* titled(chat.id, "Greeting")

    expect(titles(chat.id).map((item) => item.failure)).toEqual(["timeout", undefined])
  }),
)

it.instance("a title waits for the first member to return when all are unavailable for a moment", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false })
    for (const member of [chat.first, chat.second]) {
      member.answerTitle(refuse(503, { error: { message: "Busy" } }, { "retry-after": "1" }), text("Greeting"))
      member.answer(text("hello"))
    }
    yield* chat.ask("hello")
    yield* titled(chat.id, "Greeting")

    expect(titles(chat.id).map((item) => item.action)).toEqual(["moved", "waited", "served"])
  }),
)

it.instance("a title ends when all members are unavailable for long", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false })
    for (const member of [chat.first, chat.second])
      member.answerTitle(refuse(429, { error: { message: "Slow down" } }, { "retry-after": "3600" }))
    chat.first.answer(text("hello"))
    chat.second.answer(text("hello"))
    yield* chat.ask("hello").pipe(Effect.ignore)
    yield* pollWithTimeout(
      Effect.sync(() => titles(chat.id).at(1)),
      "the title was never given up",
    )

    expect(titles(chat.id).map((item) => item.action)).toEqual(["moved", "ended"])
  }),
)

it.instance("after a failure that does not switch the same member is asked for the title again, as by upstream", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false, combined: { strategy: "on_rate_limit" } })
    chat.first.answerTitle(refuse(503, { error: { message: "Busy" } }, { "retry-after-ms": "10" }), text("Greeting"))
    chat.first.answer(text("hello"))
    yield* chat.ask("hello")
    yield* titled(chat.id, "Greeting")

    expect(titles(chat.id)).toMatchObject([
      { provider: chat.ids.first, action: "repeated" },
      { provider: chat.ids.first, action: "served" },
    ])
  }),
)

it.instance("a title ends with a failure that neither switches nor passes", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false, combined: { strategy: "on_rate_limit" } })
    chat.first.answerTitle(refuse(401, { error: { message: "Who are you?" } }))
    chat.first.answer(text("hello"))
    yield* chat.ask("hello")
    yield* pollWithTimeout(
      Effect.sync(() => titles(chat.id).at(0)),
      "the title was never asked for",
    )

    expect(titles(chat.id)).toMatchObject([{ provider: chat.ids.first, action: "ended", failure: "auth" }])
    expect(chat.second.asked).toHaveLength(0)
  }),
)

const place = { directory: "" }
beforeEach(() => {
  place.directory = mkdtempSync(path.join(os.tmpdir(), "combined-attempts-"))
})
afterEach(() => rmSync(place.directory, { recursive: true, force: true }))

const record: CombinedLog.Record = {
  start: "2026-01-01T00:00:00.000Z",
  end: "2026-01-01T00:00:01.000Z",
  session: "ses_one",
  message: "msg_one",
  purpose: "step",
  combined: "glm",
  provider: "acme",
  model: "glm",
  phase: "text",
  action: "served",
  tokens: { input: 1, output: 1, cache_read: 0 },
  cost: 0,
}

test("the log is limited: a full file is replaced, and the previous one is kept", () => {
  const file = path.join(place.directory, "attempts.jsonl")
  for (const message of ["one", "two", "three", "four", "five"])
    expect(CombinedLog.append({ ...record, message }, file, 300)).toBe(true)
  expect(recorded("ses_one", file).map((item) => item.message)).toEqual(["five"])
  expect(recorded("ses_one", `${file}.1`).map((item) => item.message)).toEqual(["three", "four"])
  expect(statSync(file).mode & 0o077).toBe(0)
})

test("a full log is rotated once: while another process does so, lines are only added", () => {
  const file = path.join(place.directory, "attempts.jsonl")
  const lock = `${file}.lock`
  const write = (message: string) => CombinedLog.append({ ...record, message }, file, 300)
  mkdirSync(lock)
  expect(["one", "two", "three"].every(write)).toBe(true)
  expect(existsSync(`${file}.1`)).toBe(false)
  expect(recorded("ses_one", file)).toHaveLength(3)

  // A lock left by a dead process holds no other one up for long.
  const old = new Date(Date.now() - 120_000)
  utimesSync(lock, old, old)
  expect(write("four")).toBe(true)
  expect(recorded("ses_one", `${file}.1`)).toHaveLength(3)
  expect(recorded("ses_one", file).map((item) => item.message)).toEqual(["four"])
  expect(existsSync(lock)).toBe(false)
})

test("a log that cannot be written does not matter", () => {
  expect(CombinedLog.append(record, path.join(place.directory, "missing", "attempts.jsonl"))).toBe(false)
})

test.skipIf(process.platform === "win32")("a link or a pipe in the place of the log is not written to", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "combined-log-"))
  const [target, link, pipe] = ["target", "link", "pipe"].map((name) => path.join(folder, name))
  writeFileSync(target, "mine")
  symlinkSync(target, link)
  Bun.spawnSync(["mkfifo", pipe])
  const record = { session: "s" } as CombinedLog.Record
  expect([link, pipe].map((file) => CombinedLog.append(record, file))).toEqual([false, false])
  expect(readFileSync(target, "utf8")).toBe("mine")
  rmSync(folder, { recursive: true })
})

/** A provider may repeat a key anywhere in its answer. Here, text has come before the event. */
const inside = (value: unknown) => stream(say("half"), event(value))

const ECHO = `Incorrect API key provided: ${KEY}. Find yours at https://me:${KEY}@host.test`
const headers = { "x-echo": `Bearer ${KEY}`, "www-authenticate": `Bearer token="${KEY}"` }
const page = (status: number, body: string): Answer => ({
  status,
  headers: { ...headers, "content-type": "text/html" },
  moves: [{ type: "send", data: body }],
})

for (const [what, answer] of [
  ["a refusal", refuse(401, { error: { message: ECHO, code: "invalid_api_key" } }, headers)],
  ["a refusal that nobody knows", refuse(400, { error: { message: ECHO, [KEY]: KEY, code: KEY } }, headers)],
  ["a page", page(502, `<html>${ECHO}</html>`)],
  ["a page in place of a stream", page(200, `<html>${ECHO}</html>`)],
  ["JSON in place of a stream", refuse(200, { error: { message: ECHO, code: KEY } }, headers)],
  ["an error event", inside({ error: { message: ECHO, code: KEY, metadata: { raw: ECHO, [KEY]: [KEY] } } })],
  ["an error event in words only", inside({ error: ECHO })],
  ["an error event of another vendor", inside({ type: "error", message: ECHO, detail: KEY })],
  ["an event that is not JSON", stream(say("half"), { type: "send", data: `data: {"${ECHO}\n\n` })],
  ["an event of a form of its own", inside({ choices: ECHO, id: { [KEY]: KEY } })],
  ["the word for the end", stream(say("half"), ...finish(KEY))],
] as const)
  it.instance(`a key that a provider repeats in ${what} is nowhere afterwards`, () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession()
      const bridge = yield* EventV2Bridge.Service
      const seen: string[] = []
      const off = yield* bridge.listen((item) => Effect.sync(() => void seen.push(JSON.stringify(item))))
      yield* Effect.addFinalizer(() => off)
      chat.first.answer(answer)
      chat.second.answer(answer)
      yield* chat.ask("hello").pipe(Effect.exit)

      const history = JSON.stringify(yield* chat.history)
      expect(chat.second.asked.length + chat.first.asked.length).toBeGreaterThan(0)
      expect(recorded(chat.id).length).toBeGreaterThan(0)
      const files = [CombinedHealthFile.FILE, CombinedLog.FILE].map((file) => readFileSync(file, "utf8"))
      const stored = [Global.Path.data, Global.Path.state, Global.Path.log].flatMap((folder) =>
        readdirSync(folder, { withFileTypes: true })
          .filter((item) => item.isFile())
          .map((item) => readFileSync(path.join(folder, item.name), "latin1")),
      )
      expect([history, ...seen, ...files, ...stored].filter((item) => item.includes(KEY))).toEqual([])
    }),
  )
