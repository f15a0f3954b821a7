/** Answers a user's message: asks the model, runs its tools, and asks again until it has no more to do. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import type { ModelMessage, Tool } from "ai"
import { Context, Effect, Fiber, Layer } from "effect"
import * as Stream from "effect/Stream"
import { Config } from "@/config/config"
import { Bus } from "@/event"
import { Identifier } from "@/id"
import { Provider } from "@/provider/provider"
import { BashTool } from "@/tool/bash"
import { TaskTool } from "@/tool/task"
import type { Definition } from "@/tool/tool"
import { LLM } from "./llm"
import { MessageV2 } from "./message-v2"
import { SessionProcessor } from "./processor"
import { Session } from "./session"
import { SessionStatus } from "./status"

export type Input = { sessionID: string; text: string; model: SessionV1.ModelRef; variant?: string }

export interface Interface {
  readonly prompt: (input: Input) => Effect.Effect<SessionV1.WithParts | undefined, Session.NotFound>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionPrompt") {}

const AGENT = "build"

const TITLE = "You are a title generator. Answer with a title of a few words for the conversation, and nothing else."

const LAST_STEP = "This is your last step. Answer without tools."

export const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const config = yield* Config.Service
    const provider = yield* Provider.Service
    const sessions = yield* Session.Service
    const processor = yield* SessionProcessor.Service
    const llm = yield* LLM.Service
    const status = yield* SessionStatus.Service

    const title = Effect.fn("SessionPrompt.title")(function* (user: SessionV1.User, text: string) {
      const input = user.model
      const own = (yield* config.get()).agent?.title?.model
      const chosen = own ? Provider.parseModel(own) : undefined
      const model = chosen
        ? yield* provider.getModel(chosen.providerID, chosen.modelID)
        : ((yield* provider.getSmallModel(input.providerID)) ??
          (yield* provider.getModel(input.providerID, input.modelID)))
      const answer = yield* llm
        .stream({
          user,
          agent: { name: "title", options: {} },
          sessionID: user.sessionID,
          model,
          system: [TITLE],
          messages: [{ role: "user", content: text }],
          small: true,
          tools: {},
        })
        .pipe(
          Stream.runFold(
            () => "",
            (found, event) => (event.type === "text-delta" ? found + event.text : found),
          ),
        )
      yield* sessions.setTitle({ sessionID: user.sessionID, title: answer.trim() })
    })

    const resolve = (definition: Definition, message: SessionV1.Assistant): Tool => ({
      description: definition.description,
      inputSchema: definition.parameters,
      execute: (args, options) =>
        Effect.runPromise(
          Effect.gen(function* () {
            const rules = (yield* config.get()).permission
            const rule = typeof rules === "string" ? rules : (rules?.[definition.id] ?? rules?.["*"])
            if (rule === "deny") return yield* Effect.fail(new Error(`The tool ${definition.id} is denied`))
            return yield* definition.execute(args, { sessionID: message.sessionID, messageID: message.id })
          }),
          { signal: options.abortSignal },
        ),
    })

    const getModel = (providerID: string, modelID: string, sessionID: string) =>
      provider.getModel(providerID, modelID).pipe(
        Effect.tapError((failure) => {
          const error = { name: "UnknownError", data: { message: failure.message } }
          return Bus.publish({ type: "session.error", properties: { sessionID, error } })
        }),
      )

    /** One request to the model, with the tools that it calls. */
    const request = Effect.fn("SessionPrompt.request")(function* (
      user: SessionV1.User,
      model: Provider.Model,
      system: string[],
      messages: ModelMessage[],
      tools: readonly Definition[],
    ) {
      const message: SessionV1.Assistant = {
        id: Identifier.ascending("msg"),
        sessionID: user.sessionID,
        parentID: user.id,
        role: "assistant",
        agent: user.agent,
        providerID: model.providerID,
        modelID: model.id,
        cost: 0,
        tokens: { input: 0, output: 0, cache: { read: 0, write: 0 } },
        time: { created: Date.now() },
      }
      yield* sessions.updateMessage(message)
      const handle = yield* processor.create({ assistantMessage: message, sessionID: user.sessionID, model })
      return yield* handle.process({
        user,
        agent: { name: user.agent, options: {} },
        sessionID: user.sessionID,
        model,
        system,
        messages,
        tools: Object.fromEntries(tools.map((item) => [item.id, resolve(item, message)])),
      })
    })

    const runLoop = (lastUser: SessionV1.User, tools: readonly Definition[], maxSteps: number) =>
      Effect.gen(function* () {
        const sessionID = lastUser.sessionID
        let step = 0
        while (true) {
          const msgs = yield* sessions.messages({ sessionID })
          if (answered(msgs.at(-1))) return
          step++
          const model = yield* getModel(lastUser.model.providerID, lastUser.model.modelID, sessionID)
          const isLastStep = step >= maxSteps
          const outcome = yield* Effect.gen(function* () {
            const [env, modelMsgs] = yield* Effect.all([
              Effect.sync(() => `You are a coding agent at work in ${process.cwd()}.`),
              MessageV2.toModelMessagesEffect(msgs, model),
            ])
            const system = isLastStep ? [env, LAST_STEP] : [env]
            return yield* request(lastUser, model, system, modelMsgs, isLastStep ? [] : tools)
          })
          // There is no compaction here: a conversation that is too long ends with its error.
          if (outcome !== "continue") return
        }
      })

    const createUserMessage = Effect.fn("SessionPrompt.createUserMessage")(function* (input: Input) {
      const { sessionID, text, model } = input
      const ag = (yield* config.get()).agent?.[AGENT] ?? {}
      const full = ag.variant
        ? yield* provider
            .getModel(model.providerID, model.modelID)
            .pipe(Effect.catchTag("ProviderModelNotFoundError", () => Effect.succeed(undefined)))
        : undefined
      const variant = input.variant ?? (ag.variant && full?.variants?.[ag.variant] ? ag.variant : undefined)
      const time = { created: Date.now() }
      const id = Identifier.ascending("msg")
      const user: SessionV1.User = { id, sessionID, role: "user", agent: AGENT, model: { ...model, variant }, time }
      const partID = Identifier.ascending("prt")
      yield* sessions.updateMessage(user)
      yield* sessions.updatePart({
        id: partID,
        sessionID,
        messageID: id,
        type: "text",
        text,
        time: { start: time.created },
      })
      return user
    })

    const prompt: Interface["prompt"] = Effect.fn("SessionPrompt.prompt")(function* (input: Input) {
      const { sessionID, text } = input
      const untitled = (yield* sessions.get(sessionID)).title === Session.UNTITLED
      const agents = (yield* config.get()).agent ?? {}
      const user = yield* createUserMessage(input)
      const titling = yield* Effect.forkChild(untitled ? title(user, text).pipe(Effect.ignore) : Effect.void)

      const tools = [BashTool.definition, TaskTool.define({ sessions, agents, prompt })]
      yield* runLoop(user, tools, agents[AGENT]?.steps ?? Infinity).pipe(
        Effect.catchTag("ProviderModelNotFoundError", () => Effect.void),
      )

      yield* Fiber.await(titling)
      yield* status.set(sessionID, { type: "idle" })
      return (yield* sessions.messages({ sessionID })).findLast((item) => item.info.role === "assistant")
    })

    return Service.of({ prompt })
  }),
)

function answered(last: SessionV1.WithParts | undefined) {
  if (last?.info.role !== "assistant" || !last.info.finish) return false
  return last.info.finish !== "tool-calls" && !last.parts.some((part) => part.type === "tool")
}

export * as SessionPrompt from "./prompt"
