/** The events of a model's answer, whatever the protocol. */

export class Usage {
  readonly inputTokens?: number
  readonly outputTokens?: number

  constructor(fields: { inputTokens?: number; outputTokens?: number }) {
    Object.assign(this, fields)
  }
}

export type ProviderMetadata = Record<string, Record<string, unknown>>

export type ToolResultValue = { readonly type: "json" | "text" | "error"; readonly value: unknown }

export const ToolResultValue = {
  make: (value: unknown, type: ToolResultValue["type"] = "json"): ToolResultValue => ({ type, value }),
}

type Events = {
  "step-start": { index: number }
  "text-start": { id: string }
  "text-delta": { id: string; text: string }
  "text-end": { id: string }
  "reasoning-start": { id: string }
  "reasoning-delta": { id: string; text: string }
  "reasoning-end": { id: string }
  "tool-input-start": { id: string; name: string }
  "tool-input-delta": { id: string; name: string; text: string }
  "tool-call": { id: string; name: string; input: unknown }
  "tool-result": { id: string; name: string; result: ToolResultValue }
  "tool-error": { id: string; name: string; message: string; error?: unknown }
  "step-finish": { index: number; reason: string; usage?: Usage; providerMetadata?: ProviderMetadata }
}

type Of<Type extends keyof Events> = { readonly type: Type } & Readonly<Events[Type]>

export type LLMEvent = { [Type in keyof Events]: Of<Type> }[keyof Events]

const make =
  <Type extends keyof Events>(type: Type) =>
  (fields: Events[Type]): Of<Type> => ({ type, ...fields })

export const LLMEvent = {
  stepStart: make("step-start"),
  textStart: make("text-start"),
  textDelta: make("text-delta"),
  textEnd: make("text-end"),
  reasoningStart: make("reasoning-start"),
  reasoningDelta: make("reasoning-delta"),
  reasoningEnd: make("reasoning-end"),
  toolInputStart: make("tool-input-start"),
  toolCall: make("tool-call"),
  toolResult: make("tool-result"),
  toolError: make("tool-error"),
  stepFinish: make("step-finish"),
}

/** Whether an error's words say that the conversation is too long for the model. */
export const isContextOverflow = (message: string) => /maximum context length is \d+ tokens/i.test(message)
