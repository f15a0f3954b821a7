/** What a session consists of, as it is stored. */
export * as SessionMessage from "./message"

import type { FinishReason } from "@opencode-ai/ai"
import type { SessionError } from "@opencode-ai/schema/session-error"
import type { TokenUsage } from "@opencode-ai/schema/token-usage"
import { Identifier } from "../id"
import type { ModelV2 } from "../model"

export type ID = string

export const ID = { make: (id: string): ID => id, create: (): ID => Identifier.ascending("msg") }

type Table = Readonly<Record<string, unknown>>
type Time = { created: number; completed?: number }

export type ToolState =
  | { status: "streaming"; input: string }
  | { status: "running"; input: object }
  | { status: "completed"; input: object; output: string }
  | { status: "error"; input: object; error: SessionError.Error }

export type AssistantText = { type: "text"; text: string }
export type AssistantReasoning = { type: "reasoning"; text: string; state?: Table }
export type AssistantTool = {
  type: "tool"
  id: string
  name: string
  executed?: boolean
  providerState?: Table
  providerResultState?: Table
  state: ToolState
}
export type AssistantContent = AssistantText | AssistantReasoning | AssistantTool

export type User = { type: "user"; id: ID; text: string; time: Time }

export type Assistant = {
  type: "assistant"
  id: ID
  agent: string
  model: ModelV2.Ref
  content: AssistantContent[]
  finish?: FinishReason
  cost?: number
  tokens?: TokenUsage.Info
  error?: SessionError.Error
  retry?: { attempt: number; at: number; error: SessionError.Error }
  time: Time
}

export type Compaction = {
  type: "compaction"
  id: ID
  status: "running" | "completed" | "failed"
  summary: string
  error?: SessionError.Error
  time: Time
}

export type Info = User | Assistant | Compaction
