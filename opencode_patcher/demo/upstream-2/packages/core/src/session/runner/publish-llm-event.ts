import type { FinishReason, LLMEvent, ProviderMetadata } from "@opencode-ai/ai"
import type { SessionError } from "@opencode-ai/schema/session-error"
import type { TokenUsage } from "@opencode-ai/schema/token-usage"
import { Effect } from "effect"
import type { EventV2 } from "../../event"
import type { ModelV2 } from "../../model"
import type { Snapshot } from "../../snapshot"
import { SessionEvent } from "../event"
import { SessionMessage } from "../message"
import type { SessionSchema } from "../schema"
import { SessionUsage } from "../usage"

type Input = {
  readonly sessionID: SessionSchema.ID
  readonly agent: string
  readonly model: ModelV2.Ref
  readonly providerMetadataKey: string
  readonly assistantMessageID?: SessionMessage.ID
  readonly snapshot?: Snapshot.ID
}

type Block = { readonly kind: "text" | "reasoning"; readonly ordinal: number; text: string; state?: object }
type Tool = { readonly name: string; input: string; called: boolean; settled: boolean }

/** Makes a session's events of what a model says in one step. */
export const createLLMEventPublisher = (events: Pick<EventV2.Interface, "publish">, input: Input) => {
  const { sessionID } = input
  const blocks = new Map<string, Block>()
  const tools = new Map<string, Tool>()
  let assistantMessageID = input.assistantMessageID
  let started = false
  let evidence = false
  let providerFailed = false
  let failure: SessionError.Error | undefined
  let settlement: { readonly finish: FinishReason; readonly tokens: TokenUsage.Info } | undefined
  let ordinal = 0

  const startAssistant = Effect.fnUntraced(function* () {
    assistantMessageID ??= SessionMessage.ID.create()
    if (started) return assistantMessageID
    started = true
    const { agent, model, snapshot } = input
    yield* events.publish(SessionEvent.Step.Started, { sessionID, assistantMessageID, agent, model, snapshot })
    return assistantMessageID
  })

  const base = Effect.map(Effect.suspend(startAssistant), (id) => ({ sessionID, assistantMessageID: id }))

  const open = Effect.fnUntraced(function* (id: string, kind: Block["kind"]) {
    evidence = true
    const block: Block = { kind, ordinal: ordinal++, text: "" }
    blocks.set(id, block)
    const definition = kind === "text" ? SessionEvent.Text.Started : SessionEvent.Reasoning.Started
    yield* events.publish(definition, { ...(yield* base), ordinal: block.ordinal })
  })

  const append = Effect.fnUntraced(function* (id: string, text: string, metadata: ProviderMetadata | undefined) {
    const block = blocks.get(id)
    if (!block) return
    block.text += text
    const state = metadata?.[input.providerMetadataKey]
    if (state) block.state = { ...block.state, ...state }
    const definition = block.kind === "text" ? SessionEvent.Text.Delta : SessionEvent.Reasoning.Delta
    if (text) yield* events.publish(definition, { ...(yield* base), ordinal: block.ordinal, delta: text })
  })

  const close = Effect.fnUntraced(function* (id: string) {
    const block = blocks.get(id)
    if (!block) return
    blocks.delete(id)
    const said = { ...(yield* base), ordinal: block.ordinal, text: block.text }
    if (block.kind === "text") yield* events.publish(SessionEvent.Text.Ended, said)
    else yield* events.publish(SessionEvent.Reasoning.Ended, { ...said, state: { ...block.state } })
  })

  const flush = Effect.fnUntraced(function* () {
    for (const id of blocks.keys()) yield* close(id)
  })

  const openTool = Effect.fnUntraced(function* (callID: string, name: string) {
    evidence = true
    if (tools.has(callID)) return
    tools.set(callID, { name, input: "", called: false, settled: false })
    yield* events.publish(SessionEvent.Tool.Input.Started, { ...(yield* base), callID, name })
  })

  const failTool = Effect.fnUntraced(function* (callID: string, error: SessionError.Error) {
    const tool = tools.get(callID)
    if (!tool || tool.settled) return
    tool.settled = true
    yield* events.publish(SessionEvent.Tool.Failed, { ...(yield* base), callID, error })
  })

  const failUnsettledTools = Effect.fnUntraced(function* (
    error: SessionError.Error,
    which: "all" | "uncalled" = "all",
  ) {
    for (const [id, { called }] of tools) if (which === "all" || !called) yield* failTool(id, error)
  })

  const failAssistant = Effect.fnUntraced(function* (error: SessionError.Error) {
    yield* flush()
    yield* failUnsettledTools(error, "uncalled")
    yield* startAssistant()
    failure ??= error
  })

  const publishStepFailure = Effect.fnUntraced(function* (used: Partial<SessionUsage.Recorded>) {
    if (failure) yield* events.publish(SessionEvent.Step.Failed, { ...(yield* base), error: failure, ...used })
  })

  const publish = Effect.fnUntraced(function* (event: LLMEvent) {
    switch (event.type) {
      case "step-start":
        yield* startAssistant()
        return
      case "text-start":
        return yield* open(event.id, "text")
      case "reasoning-start":
        return yield* open(event.id, "reasoning")
      case "text-delta":
      case "reasoning-delta":
        return yield* append(event.id, event.text, event.providerMetadata)
      case "text-end":
      case "reasoning-end":
        return yield* close(event.id)
      case "tool-input-start":
        return yield* openTool(event.id, event.name)
      case "tool-input-delta": {
        const tool = tools.get(event.id)
        if (tool) tool.input += event.text
        yield* events.publish(SessionEvent.Tool.Input.Delta, { ...(yield* base), callID: event.id, delta: event.text })
        return
      }
      case "tool-input-end":
        yield* events.publish(SessionEvent.Tool.Input.Ended, {
          ...(yield* base),
          callID: event.id,
          text: tools.get(event.id)?.input ?? "",
        })
        return
      case "tool-input-error":
        yield* openTool(event.id, event.name)
        return yield* failTool(event.id, { type: "tool.input-json", message: "The arguments are not valid JSON" })
      case "tool-call": {
        yield* openTool(event.id, event.name)
        const tool = tools.get(event.id)
        if (tool) tool.called = true
        const { id: callID, input, providerExecuted: executed = false } = event
        yield* events.publish(SessionEvent.Tool.Called, { ...(yield* base), callID, input, executed })
        return
      }
      case "tool-result": {
        const { id, result } = event
        if (result.type === "error") return yield* failTool(id, { type: "tool.execution", message: result.value })
        const tool = tools.get(id)
        if (tool) tool.settled = true
        yield* events.publish(SessionEvent.Tool.Success, { ...(yield* base), callID: id, output: result.value })
        return
      }
      case "tool-error":
        return yield* failTool(event.id, { type: "tool.execution", message: event.message })
      case "step-finish":
        yield* flush()
        settlement = { finish: event.reason, tokens: SessionUsage.tokens(event.usage) }
        return
      case "provider-error":
        providerFailed = true
        return yield* failAssistant({ type: "provider.unknown", message: event.message })
    }
  })

  return {
    publish,
    flush,
    startAssistant,
    failAssistant,
    failUnsettledTools,
    publishStepFailure,
    hasProviderError: () => providerFailed,
    /** Whether something was said, so that the step cannot be asked for again. */
    hasRetryEvidence: () => evidence,
    stepFailure: () => failure,
    stepSettlement: () => settlement,
  }
}
