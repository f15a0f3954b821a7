/** A stored session: messages of the user and of assistants, each with its parts. */

type Item = { readonly id: string; readonly sessionID: string }
type PartOf<Type extends string, Fields> = Item & { readonly messageID: string; readonly type: Type } & Fields

export type Tokens = { input: number; output: number; total?: number; cache: { read: number; write: number } }
export type ModelRef = { providerID: string; modelID: string }

type Written = { text: string; time: { start: number; end?: number }; metadata?: Record<string, unknown> }

export type TextPart = PartOf<"text", Written>
export type ReasoningPart = PartOf<"reasoning", Written>
export type StepStartPart = PartOf<"step-start", object>
export type StepFinishPart = PartOf<"step-finish", { reason: string; cost: number; tokens: Tokens }>
export type FilePart = PartOf<"file", { mime: string; url: string }>
export type SubtaskPart = PartOf<"subtask", { prompt: string; description: string; model?: ModelRef }>
export type ToolPart = PartOf<
  "tool",
  { tool: string; callID: string; state: ToolState; metadata?: Record<string, unknown> }
>

export type ToolState =
  | { status: "pending"; input: unknown }
  | { status: "running"; input: unknown; time: { start: number } }
  | {
      status: "completed"
      input: unknown
      title: string
      output: string
      attachments?: FilePart[]
      time: { start: number; end: number }
    }
  | { status: "error"; input: unknown; error: string; time: { start: number; end: number } }

export type Part = TextPart | ReasoningPart | StepStartPart | StepFinishPart | FilePart | SubtaskPart | ToolPart

export type ErrorInfo = {
  name: string
  data: {
    message: string
    statusCode?: number
    isRetryable?: boolean
    responseHeaders?: Record<string, string>
    responseBody?: string
  }
}

export type User = Item & {
  role: "user"
  agent: string
  model: ModelRef & { variant?: string }
  time: { created: number }
}

export type Assistant = Item & {
  role: "assistant"
  parentID: string
  agent: string
  providerID: string
  modelID: string
  cost: number
  tokens: Tokens
  finish?: string
  summary?: boolean
  error?: ErrorInfo
  time: { created: number; completed?: number }
}

export type Info = User | Assistant
export type WithParts = { info: Info; parts: Part[] }

export * as SessionV1 from "./session"
