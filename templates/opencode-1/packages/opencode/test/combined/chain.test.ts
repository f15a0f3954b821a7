import { expect, setDefaultTimeout } from "bun:test"
import { readFileSync, rmSync } from "fs"
import { Effect } from "effect"
import { CombinedHealthFile } from "@/combined/host/health-file"
import { CombinedLog } from "@/combined/host/log"
import { CombinedHappening } from "@/combined/view/happening"
import { Provider } from "@/provider/provider"
import { SessionCompaction } from "@/session/compaction"
import { Session } from "@/session/session"
import { SessionPrompt } from "@/session/prompt"
import { CombinedModels } from "../../../tui/src/combined/models"
import { pollWithTimeout } from "../lib/effect"
import { finish, refuse, say, stream, text } from "./fake-provider"
import { combinedSession, it, served, texts } from "./rig"

setDefaultTimeout(120_000)

const limited = refuse(429, { error: { message: "Rate limit reached" } }, { "retry-after": "3600" })
const empty = refuse(402, { error: { message: "Insufficient credits" } })
const content = refuse(400, { error: { code: "content_policy_violation", message: "Blocked by our usage policy" } })

/** Two different models. The priority prefers the first. */
const modelIDs = { first: "glm-4.6", second: "kimi-k2.5" }
const models = { second: { name: "Kimi K2.5" } }

it.instance("a chain is asked in the order in which it is written", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      modelIDs,
      models,
      chain: (names) => ({ groups: { work: [names.second, names.first] } }),
    })
    expect(String(chat.model.modelID)).toBe("work")
    chat.second.answer(text("hello"), limited)
    chat.first.answer(text("and on"))
    yield* chat.ask("hello")
    yield* chat.ask("again")
    expect(served(yield* chat.answers)).toEqual([chat.ids.second, chat.ids.first])
    expect((yield* chat.answers).map((item) => String(item.info.modelID))).toEqual(["kimi-k2.5", "glm-4.6"])
    // Each model is told its own name, so that its prompt stays the same.
    const prompts = [chat.second.asked[0], chat.first.asked[0]].map((item) => JSON.stringify(item.messages[0]))
    expect(prompts[0]).toContain(`${chat.ids.second}/kimi-k2.5`)
    expect(prompts[1]).toContain(`${chat.ids.first}/glm-4.6`)
  }),
)

it.instance("a different model is named as long as it serves, and left as soon as the preferred one is back", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      modelIDs,
      models,
      // Long enough that a warm cache would keep the session, if the other provider had the same model.
      combined: { stickiness: 3_600_000 },
      chain: ({ first, second }) => ({ groups: { work: [first, second] } }),
    })
    chat.first.answer(limited, text("back"))
    chat.second.answer(text("hello", { input: 20_000, output: 10 }), text("and on", { input: 20_000, output: 10 }))
    yield* chat.ask("hello")
    yield* chat.ask("again")
    rmSync(CombinedHealthFile.FILE)
    yield* chat.ask("and now")
    const answers = yield* chat.answers
    expect(served(answers)).toEqual([chat.ids.second, chat.ids.second, chat.ids.first])

    const providers = new Map(Object.entries(yield* Provider.use.list()))
    const questions = new Map((yield* chat.history).map(({ info }) => [String(info.id), info]))
    const labels = answers.map(({ info }) => {
      const question = questions.get(info.parentID)
      return CombinedModels.serving(providers, info, question?.role === "user" ? question : undefined)
    })
    const other = `Kimi K2.5 (${chat.ids.second}) instead of GLM 4.6`
    expect(labels).toEqual([other, other, `GLM 4.6 (${chat.ids.first})`])

    const records = readFileSync(CombinedLog.FILE, "utf8").trim().split("\n")
    const steps = records
      .map((line): CombinedLog.Record => JSON.parse(line))
      .filter((item) => item.session === chat.id && item.purpose === "step")
    expect(steps.map((item) => item.instead_of)).toEqual([undefined, "glm-4.6", "glm-4.6", undefined])
  }),
)

it.instance("a session that starts with a different model says so", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      modelIDs,
      models,
      chain: ({ first, second }) => ({ groups: { work: [first, second] } }),
    })
    chat.first.answer(limited)
    chat.second.answer(text("hello"), text("anew"))
    yield* chat.ask("hello")
    const next = yield* chat.fork
    yield* next.ask("hello")
    const parts = (yield* next.answers).flatMap((item) => item.parts)
    const lines = parts.flatMap((part) => CombinedHappening.of(part)?.message ?? [])
    expect(lines).toEqual([expect.stringMatching(/, using .* with a different model, Kimi K2\.5$/)])
  }),
)

it.instance("a member is asked as its entry says, whatever was chosen for the session", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      modelIDs,
      models: {
        first: {
          temperature: true,
          variants: { low: { reasoningEffort: "low" }, high: { reasoningEffort: "high" } },
        },
      },
      chain: ({ first, second }) => ({
        groups: {
          work: [{ model: first, variant: "high", options: { temperature: 0.25, top_p: 0.5, seed: 7 } }, second],
        },
      }),
    })
    chat.first.answer(text("hello"))
    yield* chat.ask("hello", { variant: "low" })
    expect(chat.first.asked[0]).toMatchObject({ reasoning_effort: "high", temperature: 0.25, top_p: 0.5, seed: 7 })
  }),
)

it.instance("a member with a condition is asked only after such a failure", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      modelIDs,
      models,
      chain: ({ first, second }) => ({ groups: { work: [first, { model: second, when: ["quota"] }] } }),
    })
    chat.first.answer(refuse(401, { error: { message: "Invalid API key" } }))
    yield* chat.ask("hello")
    expect(chat.second.asked).toHaveLength(0)
    const [answer] = yield* chat.answers
    expect(answer.info.error).toBeDefined()
  }),
)

it.instance("after a used-up quota, the member that is meant for it is asked", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      modelIDs,
      models,
      chain: ({ first, second }) => ({ groups: { work: [first, { model: second, when: ["quota"] }] } }),
    })
    chat.first.answer(empty)
    chat.second.answer(text("hello"))
    yield* chat.ask("hello")
    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
  }),
)

it.instance("a model without a chain of its own has the one for all models, also for its title", () =>
  Effect.gen(function* () {
    const sessions = yield* Session.Service
    const chat = yield* combinedSession({
      modelIDs,
      models,
      alone: true,
      title: false,
      chain: (names) => ({ fallback: names.second }),
    })
    chat.first.answer(limited)
    chat.first.answerTitle(limited)
    chat.second.answer(text("hello"))
    chat.second.answerTitle(text("A greeting"))
    yield* chat.ask("hello")
    const [answer] = yield* chat.answers
    expect([String(answer.info.providerID), String(answer.info.modelID)]).toEqual([chat.ids.second, "kimi-k2.5"])
    const [asked] = yield* chat.history
    expect(asked.info.role === "user" && String(asked.info.model.providerID)).toBe(chat.ids.first)
    yield* pollWithTimeout(
      sessions.get(chat.id).pipe(Effect.map((found) => (found.title === "A greeting" ? found : undefined))),
      "the title never came",
      "10 seconds",
    )
  }),
)

it.instance("an agent may have a chain of its own, which no provider gets to see", () =>
  Effect.gen(function* () {
    const prompt = yield* SessionPrompt.Service
    const chat = yield* combinedSession({
      modelIDs,
      models,
      alone: true,
      config: { agent: { careful: { mode: "primary", description: "Thinks", fallback: ["combined/more"] } } },
      chain: (names) => ({ groups: { more: [names.second] }, max_attempts: 1 }),
    })
    chat.first.answer(limited, limited)
    chat.second.answer(text("hello"))
    yield* prompt.prompt({
      sessionID: chat.id,
      agent: "careful",
      model: chat.model,
      parts: [{ type: "text", text: "hello" }],
    })
    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    expect(Object.keys(chat.second.asked[0])).not.toContain("fallback")
    expect(Object.keys(chat.first.asked[0])).not.toContain("fallback")
  }),
)

for (const [what, answer] of [
  ["before the answer", content],
  ["in the middle of the answer", stream(say("I can"), ...finish("content_filter"))],
] as const)
  it.instance(`a refusal of the content ${what} is asked of the next different model, if the user wants that`, () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession({
        modelIDs,
        models,
        chain: ({ first, second }) => ({ groups: { work: { models: [first, second], on_refusal: "next_model" } } }),
      })
      chat.first.answer(answer, text("and on"))
      chat.second.answer(text("hello"))
      yield* chat.ask("hello")
      const [first] = yield* chat.answers
      expect([String(first.info.providerID), first.info.error]).toEqual([chat.ids.second, undefined])
      expect(texts(first.parts)).toEqual(["hello"])
      // No member is avoided because of it.
      yield* chat.ask("again")
      expect(served(yield* chat.answers)).toEqual([chat.ids.second, chat.ids.first])
    }),
  )

it.instance("a refusal is asked of one more model only,", () =>
  Effect.gen(function* () {
    const different = yield* combinedSession({
      modelIDs,
      models,
      chain: ({ first, second }) => ({ groups: { work: { models: [first, second], on_refusal: "next_model" } } }),
    })
    different.first.answer(content)
    different.second.answer(content)
    yield* different.ask("hello")
    expect((yield* different.answers).at(-1)?.info.error).toBeDefined()
    expect([different.first.asked.length, different.second.asked.length]).toEqual([1, 1])
  }),
)

it.instance("the same model elsewhere is not asked what it has refused", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      chain: ({ first, second }) => ({
        groups: { "a-chain": { models: [first, second], on_refusal: "next_model" } },
        exclude: [],
      }),
    })
    expect(String(chat.model.modelID)).toBe("a-chain")
    chat.first.answer(content)
    yield* chat.ask("hello")
    expect(chat.first.asked).toHaveLength(1)
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("a summary of any model's conversation walks the same chain", () =>
  Effect.gen(function* () {
    const prompt = yield* SessionPrompt.Service
    const compaction = yield* SessionCompaction.Service
    const chat = yield* combinedSession({
      modelIDs,
      models,
      alone: true,
      chain: (names) => ({ fallback: [names.second] }),
    })
    chat.first.answer(text("one"), limited)
    chat.second.answer(text("the summary"))
    yield* chat.ask("hello")
    yield* compaction.create({ sessionID: chat.id, agent: "build", model: chat.model, auto: false })
    yield* prompt.loop({ sessionID: chat.id })
    const summaries = (yield* chat.answers).filter((item) => item.info.summary)
    expect(summaries.map((item) => texts(item.parts))).toEqual([["the summary"]])
    expect(served(summaries)).toEqual([chat.ids.second])
  }),
)
