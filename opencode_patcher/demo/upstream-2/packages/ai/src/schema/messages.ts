/** What is sent to a model. */
import type { Route } from "../route/client"

export type TextPart = { readonly type: "text"; readonly text: string }
export type ReasoningPart = { readonly type: "reasoning"; readonly text: string; readonly signature?: string }
export type ToolCallPart = {
  readonly type: "tool-call"
  readonly id: string
  readonly name: string
  readonly input: object
}
export type ToolResultPart = { readonly type: "tool-result"; readonly id: string; readonly text: string }

export type Message =
  | { readonly role: "user"; readonly content: readonly TextPart[] }
  | { readonly role: "assistant"; readonly content: readonly (TextPart | ReasoningPart | ToolCallPart)[] }
  | { readonly role: "tool"; readonly content: readonly ToolResultPart[] }

export const Message = {
  user: (text: string): Message => ({ role: "user", content: [{ type: "text", text }] }),
}

export type SystemPart = { readonly type: "text"; readonly text: string }

export const SystemPart = {
  make: (text: string): SystemPart => ({ type: "text", text }),
}

export type ToolDefinition = { readonly name: string; readonly description: string; readonly inputSchema: object }

export type GenerationOptions = {
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
}

export const GenerationOptions = {
  make: (options: GenerationOptions): GenerationOptions => options,
}

type Table = Readonly<Record<string, unknown>>

export type Model = {
  readonly id: string
  readonly provider: string
  readonly route: Route
}

export type LLMRequest = {
  readonly model: Model
  readonly system: readonly SystemPart[]
  readonly messages: readonly Message[]
  readonly tools: readonly ToolDefinition[]
  readonly toolChoice?: "none"
  readonly generation?: GenerationOptions
  readonly providerOptions?: Readonly<Record<string, Table>>
}

export const LLMRequest = {
  update: (request: LLMRequest, changes: Partial<LLMRequest>): LLMRequest => ({ ...request, ...changes }),
}
