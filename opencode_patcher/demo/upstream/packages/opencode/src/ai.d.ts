/** The few types of the AI SDK in which messages and tools are passed on. Nothing of it is there at run time. */
declare module "ai" {
  type Extra = { providerOptions?: Record<string, Record<string, unknown>> }
  export type TextPart = Extra & { type: "text"; text: string }
  export type ReasoningPart = Extra & { type: "reasoning"; text: string }
  export type ToolCallPart = Extra & { type: "tool-call"; toolCallId: string; toolName: string; input: unknown }
  export type ToolResultPart = Extra & {
    type: "tool-result"
    toolCallId: string
    toolName: string
    output: { type: "text" | "error-text"; value: string }
  }

  export type SystemModelMessage = Extra & { role: "system"; content: string }
  export type UserModelMessage = Extra & { role: "user"; content: string | TextPart[] }
  export type AssistantModelMessage = Extra & {
    role: "assistant"
    content: string | (TextPart | ReasoningPart | ToolCallPart)[]
  }
  export type ToolModelMessage = Extra & { role: "tool"; content: ToolResultPart[] }
  export type ModelMessage = SystemModelMessage | UserModelMessage | AssistantModelMessage | ToolModelMessage

  export type ToolExecutionOptions = { toolCallId: string; messages: ModelMessage[]; abortSignal?: AbortSignal }
  export type Tool = {
    description?: string
    inputSchema?: unknown
    execute?: (input: unknown, options: ToolExecutionOptions) => PromiseLike<unknown>
  }
}
