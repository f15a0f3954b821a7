/** What a model says, piece by piece. */
import type { ProviderFailureClassification } from "./errors"

type Counts = {
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly nonCachedInputTokens?: number
  readonly cacheReadInputTokens?: number
  readonly cacheWriteInputTokens?: number
  readonly reasoningTokens?: number
}

/** Tokens, as far as the provider counts them. The totals include their parts. */
export class Usage implements Counts {
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly nonCachedInputTokens?: number
  readonly cacheReadInputTokens?: number
  readonly cacheWriteInputTokens?: number
  readonly reasoningTokens?: number

  constructor(counts: Counts) {
    Object.assign(this, counts)
  }

  get visibleOutputTokens() {
    return Math.max(0, (this.outputTokens ?? 0) - (this.reasoningTokens ?? 0))
  }
}

export type FinishReason = "stop" | "length" | "tool-calls" | "content-filter" | "error" | "unknown"
export type ProviderMetadata = Readonly<Record<string, Readonly<Record<string, unknown>>>>
export type ToolResultValue = { readonly type: "text" | "error"; readonly value: string }

type Block = { readonly id: string; readonly providerMetadata?: ProviderMetadata }
type Tool = { readonly id: string; readonly name: string; readonly providerExecuted?: boolean }

export type ProviderErrorEvent = {
  readonly type: "provider-error"
  readonly message: string
  readonly classification?: ProviderFailureClassification
}

export type LLMEvent =
  | { readonly type: "step-start"; readonly index: number }
  | ({ readonly type: "text-start" } & Block)
  | ({ readonly type: "text-delta"; readonly text: string } & Block)
  | ({ readonly type: "text-end" } & Block)
  | ({ readonly type: "reasoning-start" } & Block)
  | ({ readonly type: "reasoning-delta"; readonly text: string } & Block)
  | ({ readonly type: "reasoning-end" } & Block)
  | ({ readonly type: "tool-input-start" } & Tool)
  | { readonly type: "tool-input-delta"; readonly id: string; readonly name: string; readonly text: string }
  | ({ readonly type: "tool-input-end" } & Tool)
  | { readonly type: "tool-input-error"; readonly id: string; readonly name: string; readonly raw: string }
  | ({ readonly type: "tool-call"; readonly input: object } & Tool)
  | ({ readonly type: "tool-result"; readonly result: ToolResultValue } & Tool)
  | { readonly type: "tool-error"; readonly id: string; readonly name: string; readonly message: string }
  | { readonly type: "step-finish"; readonly index: number; readonly reason: FinishReason; readonly usage?: Usage }
  | { readonly type: "finish"; readonly reason: FinishReason }
  | ProviderErrorEvent

type Of<Type extends LLMEvent["type"]> = Extract<LLMEvent, { readonly type: Type }>

const make =
  <Type extends LLMEvent["type"]>(type: Type) =>
  (input: Omit<Of<Type>, "type">): LLMEvent =>
    ({ type, ...input }) as Of<Type>

const is =
  <Type extends LLMEvent["type"]>(type: Type) =>
  (event: LLMEvent): event is Of<Type> =>
    event.type === type

export const LLMEvent = {
  stepStart: make("step-start"),
  textStart: make("text-start"),
  textDelta: make("text-delta"),
  textEnd: make("text-end"),
  reasoningStart: make("reasoning-start"),
  reasoningDelta: make("reasoning-delta"),
  reasoningEnd: make("reasoning-end"),
  toolInputStart: make("tool-input-start"),
  toolInputDelta: make("tool-input-delta"),
  toolInputEnd: make("tool-input-end"),
  toolInputError: make("tool-input-error"),
  toolCall: make("tool-call"),
  toolResult: make("tool-result"),
  stepFinish: make("step-finish"),
  finish: make("finish"),
  providerError: make("provider-error"),
  is: {
    textDelta: is("text-delta"),
    toolInputError: is("tool-input-error"),
    toolCall: is("tool-call"),
    stepFinish: is("step-finish"),
    providerError: is("provider-error"),
  },
}

type State = { readonly text: string; readonly reason?: FinishReason }

/** An answer as a whole. */
export const LLMResponse = {
  empty: (): State => ({ text: "" }),
  reduce: (state: State, event: LLMEvent): State => {
    if (event.type === "text-delta") return { ...state, text: state.text + event.text }
    return event.type === "step-finish" || event.type === "finish" ? { ...state, reason: event.reason } : state
  },
  /** Undefined as long as the answer has no end. */
  complete: ({ text, reason }: State) => (reason === undefined ? undefined : { text, reason }),
}
