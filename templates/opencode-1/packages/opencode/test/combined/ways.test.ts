import { expect, setDefaultTimeout } from "bun:test"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { ModelV2 } from "@opencode-ai/core/model"
import { ProviderV2 } from "@opencode-ai/core/provider"
import { Effect, Fiber } from "effect"
import { Question } from "@/question"
import { SessionPrompt } from "@/session/prompt"
import { Session } from "@/session/session"
import { pollWithTimeout } from "../lib/effect"
import { call, cut, event, finish, gate, refuse, say, stream, text } from "./fake-provider"
import { ANSWER, answers, combinedSession, it, open, served, texts, tools } from "./rig"

setDefaultTimeout(30_000)

const limited = refuse(429, { error: { message: "Rate limit reached" } }, { "retry-after": "3600" })

/** The id of the fake providers' model when it is combined. */
const COMBINED = "combined/glm-4.6"

const model = { providerID: ProviderV2.ID.make("combined"), modelID: ModelV2.ID.make("glm-4.6") }

const combinedOf = (message: SessionV1.Info | undefined) => (message?.role === "user" ? message.model : undefined)

// Agents and commands with a configured model

it.instance("an agent's configured combined model fails over, and keeps a variant that not every member has", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      config: { agent: { careful: { mode: "primary", description: "Thinks", model: COMBINED, variant: "deep" } } },
      models: { second: { variants: { deep: { reasoningEffort: "high" } } } },
    })
    const prompt = yield* SessionPrompt.Service
    chat.first.answer(limited)
    chat.second.answer(text("answered"))
    yield* prompt.prompt({ sessionID: chat.id, agent: "careful", parts: [{ type: "text", text: "hello" }] })

    const [asked] = yield* chat.history
    expect(combinedOf(asked.info)).toMatchObject({ ...model, variant: "deep" })
    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    expect(chat.second.asked[0]).toMatchObject({ reasoning_effort: "high" })
  }),
)

it.instance("each member is asked for its own variant, the closest to the chosen one", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      models: {
        first: { variants: { high: { reasoningEffort: "high" } } },
        second: { variants: { medium: { reasoningEffort: "medium" }, high: { disabled: true } } },
      },
    })
    chat.first.answer(limited)
    chat.second.answer(text("answered"))
    yield* chat.ask("hello", { variant: "high" })

    expect(chat.first.asked[0]).toMatchObject({ reasoning_effort: "high" })
    expect(chat.second.asked[0]).toMatchObject({ reasoning_effort: "medium" })
  }),
)

it.instance("a command's configured combined model fails over, and the session keeps it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      config: { command: { greet: { template: "Greet $ARGUMENTS", description: "Greets", model: COMBINED } } },
    })
    const prompt = yield* SessionPrompt.Service
    const sessions = yield* Session.Service
    chat.first.answer(limited)
    chat.second.answer(text("hello Ann"), text("and again"))
    yield* prompt.command({ sessionID: chat.id, command: "greet", arguments: "Ann" })
    expect((yield* sessions.get(chat.id)).model).toMatchObject({ providerID: "combined", id: "glm-4.6" })

    // A message without a model of its own takes the session's model.
    yield* prompt.prompt({ sessionID: chat.id, agent: "build", parts: [{ type: "text", text: "again" }] })
    const asked = (yield* chat.history).filter((item) => item.info.role === "user")
    expect(asked.map((item) => combinedOf(item.info))).toMatchObject([model, model])
    expect(served(yield* chat.answers)).toEqual([chat.ids.second, chat.ids.second])
  }),
)

it.instance("a command that runs as a subtask gives its subagent the combined model", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      config: {
        command: { look: { template: "Look", description: "Looks", agent: "general", subtask: true, model: COMBINED } },
      },
    })
    const prompt = yield* SessionPrompt.Service
    const sessions = yield* Session.Service
    chat.first.answer(limited)
    chat.second.answer(text("found it"), text("it was found"))
    yield* prompt.command({
      sessionID: chat.id,
      command: "look",
      arguments: "",
      model: `${chat.ids.second}/glm-4.6`,
    })

    const [child] = yield* sessions.children(chat.id)
    const [asked] = yield* sessions.messages({ sessionID: child.id })
    expect(combinedOf(asked.info)).toMatchObject(model)
    expect(served(yield* answers(child.id))).toEqual([chat.ids.second])
    expect(texts((yield* chat.answers).at(-1)?.parts ?? [])).toEqual(["it was found"])
  }),
)

// Forked sessions

it.instance("a fork continues with the combined model, and sends what both providers said", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    const sessions = yield* Session.Service
    chat.first.answer(text("from the first"), stream(say("half an ans"), cut))
    chat.second.answer(text("from the second"), text("in the fork"))
    yield* chat.ask("one")
    yield* chat.ask("two")

    const fork = yield* sessions.fork({ sessionID: chat.id })
    yield* prompt.prompt({ sessionID: fork.id, agent: "build", parts: [{ type: "text", text: "three" }] })

    const messages = yield* sessions.messages({ sessionID: fork.id })
    expect(messages.filter((item) => item.info.role === "user").map((item) => combinedOf(item.info))).toMatchObject([
      model,
      model,
      model,
    ])
    expect((yield* answers(fork.id)).map((item) => texts(item.parts))).toEqual([
      ["from the first"],
      ["from the second"],
      ["in the fork"],
    ])
    const sent = JSON.stringify(chat.second.asked[1].messages)
    expect(sent).toContain("from the first")
    expect(sent).not.toContain("half an ans")
  }),
)

// Subagents that are resumed, or run in the background

const task = (id: string, more: Record<string, unknown>) =>
  call(0, id, "task", { description: "look it up", prompt: "look it up", subagent_type: "general", ...more })

it.instance("a resumed subagent fails over too, with what it has said before", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const sessions = yield* Session.Service
    chat.first.answer(stream(task("call_one", {}), ...finish("tool_calls")), text("forty-one"), text("wait"))
    yield* chat.ask("what is it?")
    const [child] = yield* sessions.children(chat.id)

    chat.first.answer(
      stream(task("call_two", { task_id: child.id, prompt: "look again" }), ...finish("tool_calls")),
      limited,
    )
    chat.second.answer(text("forty-two"), text("it is forty-two"))
    yield* chat.ask("are you sure?")

    expect(yield* sessions.children(chat.id)).toHaveLength(1)
    expect((yield* answers(child.id)).map((item) => texts(item.parts))).toEqual([["forty-one"], ["forty-two"]])
    expect(JSON.stringify(chat.second.asked[0].messages)).toContain("forty-one")
    expect(texts((yield* chat.answers).at(-1)?.parts ?? [])).toEqual(["it is forty-two"])
  }),
)

it.instance("a subagent in the background fails over by itself, and its result reaches the parent", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const sessions = yield* Session.Service
    const door = gate()
    chat.first.answer(
      stream(task("call_one", { background: true }), ...finish("tool_calls")),
      // The subagent and its parent ask at the same time.
      limited,
      limited,
    )
    chat.second.answer(
      stream(door.wait, say("forty-two"), ...finish("stop")),
      stream(door.wait, say("forty-two"), ...finish("stop")),
      text("it is forty-two"),
    )
    yield* chat.ask("what is it?").pipe(Effect.forkChild)
    yield* Effect.promise(() => chat.second.times(2))
    yield* door.open

    const [child] = yield* sessions.children(chat.id)
    yield* pollWithTimeout(
      chat.answers.pipe(
        Effect.map((list) => (texts(list.at(-1)?.parts ?? [])[0] === "it is forty-two" ? true : undefined)),
      ),
      "the parent never heard of the result",
      "10 seconds",
    )
    expect(served(yield* answers(child.id))).toEqual([chat.ids.second])
    const asked = (yield* chat.history).filter((item) => item.info.role === "user")
    expect(asked.map((item) => combinedOf(item.info))).toMatchObject([model, model])
    expect(JSON.stringify(asked[1].parts)).toContain("forty-two")
  }),
)

// A question to the user

const pendingQuestion = Effect.gen(function* () {
  const questions = yield* Question.Service
  return yield* pollWithTimeout(questions.list().pipe(Effect.map((list) => list[0])), "nobody was asked", "10 seconds")
})

const asks = call(0, "call_one", "question", {
  questions: [{ question: "Which one?", header: "Which", options: [{ label: "The left one", description: "left" }] }],
})

it.instance(
  "a question that is pending when the connection breaks is answered once, and the next member gets the answer",
  () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession()
      const questions = yield* Question.Service
      const door = gate()
      chat.first.answer(stream(asks, door.wait, cut))
      chat.second.answer(text("The left one, then."))
      const turn = yield* chat.ask("choose").pipe(Effect.forkChild)
      const request = yield* pendingQuestion
      yield* door.open
      yield* Effect.sleep("100 millis")
      expect(chat.second.asked).toHaveLength(0)
      yield* questions.reply({ requestID: request.id, answers: [["The left one"]] })
      yield* Fiber.join(turn)

      expect(yield* questions.list()).toHaveLength(0)
      const results = chat.second.asked[0].messages.filter((item) => item.role === "tool")
      expect(results.map((item) => item.tool_call_id)).toEqual(["call_one"])
      expect(JSON.stringify(results)).toContain("The left one")
      expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([[], ["The left one, then."]])
    }),
)

it.instance("a question that is dismissed after the connection broke ends the turn, as usual", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const questions = yield* Question.Service
    const door = gate()
    chat.first.answer(stream(asks, door.wait, cut))
    const turn = yield* chat.ask("choose").pipe(Effect.forkChild)
    const request = yield* pendingQuestion
    yield* door.open
    yield* Effect.sleep("100 millis")
    yield* questions.reject(request.id)
    yield* Fiber.join(turn)

    expect(chat.second.asked).toHaveLength(0)
    const [answer] = yield* chat.answers
    expect(tools(answer.parts).map((part) => part.state.status)).toEqual(["error"])
    expect(open(answer.parts)).toEqual([])
  }),
)

// Structured output

it.instance("the next member is also asked for a structured answer", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(say("it is"), cut))
    chat.second.answer(stream(call(0, "call_two", "StructuredOutput", { answer: 43 }), ...finish("tool_calls")))
    const result = yield* chat.ask("hello", {
      format: ANSWER,
    })

    expect(result.info.role === "assistant" ? result.info.structured : undefined).toEqual({ answer: 43 })
    expect(chat.second.asked[0]).toMatchObject({ tool_choice: "required" })
    expect((yield* chat.answers).flatMap((item) => texts(item.parts))).toEqual([])
  }),
)

// Tools that the provider runs itself

const anthropic = (type: string, more: Record<string, unknown>) => event({ type, ...more })

it.instance(
  "the result of a provider's own tool is removed with the attempt, and the next member does not see it",
  () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession({ npm: { first: "@ai-sdk/anthropic" } })
      const door = gate()
      chat.first.answer(
        stream(
          anthropic("message_start", {
            message: {
              id: "msg_1",
              type: "message",
              role: "assistant",
              model: "glm-4.6",
              content: [],
              stop_reason: null,
              stop_sequence: null,
              usage: { input_tokens: 10, output_tokens: 1 },
            },
          }),
          anthropic("content_block_start", {
            index: 0,
            content_block: { type: "mcp_tool_use", id: "mcptoolu_1", name: "search", server_name: "web", input: {} },
          }),
          anthropic("content_block_stop", { index: 0 }),
          anthropic("content_block_start", {
            index: 1,
            content_block: {
              type: "mcp_tool_result",
              tool_use_id: "mcptoolu_1",
              is_error: false,
              content: [{ type: "text", text: "found by the provider" }],
            },
          }),
          anthropic("content_block_stop", { index: 1 }),
          door.wait,
          cut,
        ),
      )
      chat.second.answer(text("answered"))
      const turn = yield* chat.ask("search").pipe(Effect.forkChild)
      yield* chat.holds((part) => part.type === "tool" && part.state.status === "completed")
      yield* door.open
      yield* Fiber.join(turn)

      const list = yield* chat.answers
      expect(served(list)).toEqual([chat.ids.second])
      expect(list.flatMap((item) => tools(item.parts))).toEqual([])
      expect(JSON.stringify(chat.second.asked[0].messages)).not.toMatch(/mcptoolu_1|found by the provider/)
    }),
)
