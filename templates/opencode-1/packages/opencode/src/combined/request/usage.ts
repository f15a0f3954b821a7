/**
 * The tokens that a provider reports during an answer. OpenCode gets them with the end of an answer, so they would be
 * lost for one that is cut off. The provider's own events have them, each with everything known so far.
 */
import { Usage } from "@opencode-ai/llm"
import { isRecord } from "@/util/record"

type Counts = {
  readonly input: number | undefined
  readonly output: number | undefined
  readonly reasoning?: number
  readonly cached?: number
  readonly written?: number
}

/** The tokens after one more event of the provider. */
export function add(before: Usage | undefined, raw: unknown): Usage | undefined {
  const found = read(raw)
  if (!found) return before
  return new Usage({
    inputTokens: found.input ?? before?.inputTokens,
    outputTokens: found.output ?? before?.outputTokens,
    reasoningTokens: found.reasoning ?? before?.reasoningTokens,
    cacheReadInputTokens: found.cached ?? before?.cacheReadInputTokens,
    cacheWriteInputTokens: found.written ?? before?.cacheWriteInputTokens,
  })
}

/** As in OpenCode's own usage, the input includes what came from a cache, and the output the reasoning. */
function read(raw: unknown): Counts | undefined {
  if (!isRecord(raw)) return undefined
  const { message, response, usage, usageMetadata } = raw
  if (isRecord(message) && isRecord(message.usage)) return messages(message.usage)
  if (isRecord(response) && isRecord(response.usage)) return responses(response.usage)
  if (isRecord(usageMetadata)) return gemini(usageMetadata)
  if (!isRecord(usage)) return undefined
  return usage.prompt_tokens === undefined ? messages(usage) : chat(usage)
}

/** https://docs.anthropic.com/en/docs/build-with-claude/streaming: the input with the first event, the output with each. */
function messages(usage: Record<string, unknown>): Counts {
  const cached = number(usage.cache_read_input_tokens)
  const written = number(usage.cache_creation_input_tokens)
  const input = number(usage.input_tokens)
  return {
    input: input === undefined ? undefined : input + (cached ?? 0) + (written ?? 0),
    output: number(usage.output_tokens),
    cached,
    written,
  }
}

/**
 * https://platform.openai.com/docs/api-reference/chat-streaming: at the end; compatible servers may report them in
 * each event.
 */
function chat(usage: Record<string, unknown>): Counts {
  return {
    input: number(usage.prompt_tokens),
    output: number(usage.completion_tokens),
    reasoning: number(inside(usage.completion_tokens_details, "reasoning_tokens")),
    cached: number(inside(usage.prompt_tokens_details, "cached_tokens")),
  }
}

/**
 * https://platform.openai.com/docs/api-reference/responses-streaming: also for an answer that failed or is incomplete.
 */
function responses(usage: Record<string, unknown>): Counts {
  return {
    input: number(usage.input_tokens),
    output: number(usage.output_tokens),
    reasoning: number(inside(usage.output_tokens_details, "reasoning_tokens")),
    cached: number(inside(usage.input_tokens_details, "cached_tokens")),
  }
}

/** https://ai.google.dev/api/generate-content#UsageMetadata: with each event. */
function gemini(usage: Record<string, unknown>): Counts {
  const reasoning = number(usage.thoughtsTokenCount)
  const visible = number(usage.candidatesTokenCount)
  return {
    input: number(usage.promptTokenCount),
    output: visible === undefined && reasoning === undefined ? undefined : (visible ?? 0) + (reasoning ?? 0),
    reasoning,
    cached: number(usage.cachedContentTokenCount),
  }
}

const inside = (value: unknown, key: string) => (isRecord(value) ? value[key] : undefined)

const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : undefined)

export * as CombinedUsage from "./usage"
