/** Turns the events of one answer into the parts of an assistant message. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { LLMEvent, Usage } from "@opencode-ai/llm"
import { Cause, Context, Effect, Layer } from "effect"
import * as Stream from "effect/Stream"
import { Bus } from "@/event"
import { Identifier } from "@/id"
import { Provider } from "@/provider/provider"
import { LLM } from "./llm"
import { MessageV2 } from "./message-v2"
import { SessionRetry } from "./retry"
import { Session } from "./session"
import { SessionStatus } from "./status"

export type Result = "continue" | "stop" | "compact"

export interface Handle {
  readonly message: SessionV1.Assistant
  readonly process: (input: LLM.StreamInput) => Effect.Effect<Result>
}

type Input = { assistantMessage: SessionV1.Assistant; sessionID: string; model: Provider.Model }

export interface Interface {
  readonly create: (input: Input) => Effect.Effect<Handle>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionProcessor") {}

type State = Input & {
  /** Ids of the parts of tool calls that have not ended, by the call's id. */
  toolcalls: Record<string, string>
  snapshot: string | undefined
  blocked: boolean
  needsCompaction: boolean
  currentText: SessionV1.TextPart | undefined
  reasoningMap: Record<string, SessionV1.ReasoningPart>
}

/** This program keeps no history of the user's files, sums up no changes, asks nothing and has no screen for a toast. */
const snapshot = {
  track: () => Effect.succeed<string | undefined>(undefined),
  patch: (hash: string) => Effect.succeed({ hash, files: [] as string[] }),
}
const summary = { summarize: () => Effect.void }
const events = { publish: () => Effect.void }
const permission = { ask: () => Effect.void }

export const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const session = yield* Session.Service
    const llm = yield* LLM.Service
    const status = yield* SessionStatus.Service

    const create = Effect.fn("SessionProcessor.create")(function* (input: Input) {
      const initialSnapshot = yield* snapshot.track()
      const ctx: State = {
        ...input,
        toolcalls: {},
        snapshot: initialSnapshot,
        blocked: false,
        needsCompaction: false,
        currentText: undefined,
        reasoningMap: {},
      }
      const parse = MessageV2.fromError

      const part = () => ({
        id: Identifier.ascending("prt"),
        messageID: ctx.assistantMessage.id,
        sessionID: ctx.sessionID,
      })

      const toolPart = Effect.fn("SessionProcessor.toolPart")(function* (callID: string) {
        const partID = ctx.toolcalls[callID]
        if (!partID) return undefined
        const found = yield* session.getPart({ sessionID: ctx.sessionID, messageID: ctx.assistantMessage.id, partID })
        return found?.type === "tool" ? found : undefined
      })

      const startTool = Effect.fn("SessionProcessor.startTool")(function* (callID: string, tool: string) {
        const known = yield* toolPart(callID)
        if (known) return known
        const made: SessionV1.ToolPart = {
          ...part(),
          type: "tool",
          tool,
          callID,
          state: { status: "pending", input: {} },
        }
        ctx.toolcalls[callID] = made.id
        return yield* session.updatePart(made)
      })

      const endTool = Effect.fn("SessionProcessor.endTool")(function* (
        callID: string,
        state: (running: { input: unknown; time: { start: number; end: number } }) => SessionV1.ToolState,
      ) {
        const known = yield* toolPart(callID)
        delete ctx.toolcalls[callID]
        if (!known) return
        const start = known.state.status === "running" ? known.state.time.start : Date.now()
        yield* session.updatePart({
          ...known,
          state: state({ input: known.state.input, time: { start, end: Date.now() } }),
        })
      })

      const handleEvent = Effect.fn("SessionProcessor.handleEvent")(function* (event: LLMEvent) {
        switch (event.type) {
          case "step-start":
            yield* session.updatePart({ ...part(), type: "step-start" })
            return
          case "text-start":
            ctx.currentText = { ...part(), type: "text", text: "", time: { start: Date.now() } }
            yield* session.updatePart(ctx.currentText)
            return
          case "text-delta":
            if (!ctx.currentText) return
            ctx.currentText.text += event.text
            yield* session.updatePart(ctx.currentText)
            return
          case "text-end":
            if (!ctx.currentText) return
            ctx.currentText.time.end = Date.now()
            yield* session.updatePart(ctx.currentText)
            ctx.currentText = undefined
            return
          case "reasoning-start":
            ctx.reasoningMap[event.id] = { ...part(), type: "reasoning", text: "", time: { start: Date.now() } }
            yield* session.updatePart(ctx.reasoningMap[event.id])
            return
          case "reasoning-delta": {
            const found = ctx.reasoningMap[event.id]
            if (!found) return
            found.text += event.text
            yield* session.updatePart(found)
            return
          }
          case "reasoning-end": {
            const found = ctx.reasoningMap[event.id]
            if (!found) return
            delete ctx.reasoningMap[event.id]
            yield* session.updatePart({ ...found, time: { ...found.time, end: Date.now() } })
            return
          }
          case "tool-input-start":
            yield* startTool(event.id, event.name)
            return
          case "tool-call": {
            const started = yield* startTool(event.id, event.name)
            const state = { status: "running", input: event.input, time: { start: Date.now() } } as const
            yield* session.updatePart({ ...started, state })
            return
          }
          case "tool-result": {
            const { title, output } = event.result.value as { title: string; output: string }
            yield* endTool(event.id, (running) => ({ ...running, status: "completed", title, output }))
            return
          }
          case "tool-error":
            yield* endTool(event.id, (running) => ({ ...running, status: "error", error: event.message }))
            return
          case "step-finish": {
            const { cost, tokens } = Session.getUsage({
              model: ctx.model,
              usage: event.usage ?? new Usage({}),
              metadata: event.providerMetadata,
            })
            ctx.assistantMessage.finish = event.reason
            ctx.assistantMessage.cost += cost
            ctx.assistantMessage.tokens = tokens
            yield* session.updatePart({ ...part(), type: "step-finish", reason: event.reason, cost, tokens })
            yield* session.updateMessage(ctx.assistantMessage)
          }
        }
      })

      const cleanup = Effect.fn("SessionProcessor.cleanup")(function* () {
        const open = [ctx.currentText, ...Object.values(ctx.reasoningMap)].filter((item) => item !== undefined)
        for (const item of open) yield* session.updatePart({ ...item, time: { ...item.time, end: Date.now() } })
        for (const callID of Object.keys(ctx.toolcalls))
          yield* endTool(callID, (running) => ({ ...running, status: "error", error: "The tool was interrupted" }))
        ctx.assistantMessage.time.completed = Date.now()
        yield* session.updateMessage(ctx.assistantMessage)
      })

      const halt = Effect.fn("SessionProcessor.halt")(function* (cause: unknown) {
        const error = parse(cause)
        yield* Effect.logError("process", { "session.id": ctx.sessionID, error: error.data.message })
        ctx.needsCompaction = error.name === "ContextOverflowError"
        ctx.assistantMessage.error = error
        yield* Bus.publish({ type: "session.error", properties: { sessionID: ctx.sessionID, error } })
      })

      const process = Effect.fn("SessionProcessor.process")(function* (streamInput: LLM.StreamInput) {
        ctx.needsCompaction = false

        return yield* Effect.gen(function* () {
          yield* Effect.gen(function* () {
            ctx.currentText = undefined
            ctx.reasoningMap = {}
            yield* status.set(ctx.sessionID, { type: "busy" })
            const stream = llm.stream(streamInput)

            yield* stream.pipe(Stream.runForEach(handleEvent))
          }).pipe(
            Effect.onInterrupt(() =>
              ctx.assistantMessage.error ? Effect.void : halt(new DOMException("Aborted", "AbortError")),
            ),
            Effect.catchCauseIf(
              (cause) => !Cause.hasInterruptsOnly(cause),
              (cause) => Effect.fail(Cause.squash(cause)),
            ),
            SessionRetry.policy({
              parse,
              set: (info) => status.set(ctx.sessionID, { type: "retry", ...info }),
            }),
            Effect.catch(halt),
            Effect.ensuring(cleanup()),
          )

          if (ctx.needsCompaction) return "compact"
          if (ctx.blocked || ctx.assistantMessage.error) return "stop"
          return "continue"
        })
      })

      return {
        get message() {
          return ctx.assistantMessage
        },
        process,
      }
    })

    return Service.of({ create })
  }),
)

export * as SessionProcessor from "./processor"
