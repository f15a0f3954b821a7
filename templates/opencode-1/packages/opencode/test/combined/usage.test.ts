import { expect, test } from "bun:test"
import type { Usage } from "@opencode-ai/llm"
import { CombinedUsage } from "@/combined/request/usage"

const add = (events: readonly unknown[]) => events.reduce<Usage | undefined>(CombinedUsage.add, undefined)

test("Anthropic reports the input with the first event, and the output with each that counts it", () => {
  const start = {
    type: "message_start",
    message: {
      usage: { input_tokens: 100, cache_read_input_tokens: 800, cache_creation_input_tokens: 50, output_tokens: 1 },
    },
  }
  const first = { inputTokens: 950, cacheReadInputTokens: 800, cacheWriteInputTokens: 50 }
  expect(add([start])).toMatchObject({ ...first, outputTokens: 1 })
  expect(add([start, { type: "ping" }, { type: "message_delta", usage: { output_tokens: 70 } }])).toMatchObject({
    ...first,
    outputTokens: 70,
  })
})

test("if a server reports with each event the last report counts", () => {
  const chunk = (completion: number) => ({
    choices: [],
    usage: {
      prompt_tokens: 900,
      completion_tokens: completion,
      prompt_tokens_details: { cached_tokens: 800 },
      completion_tokens_details: { reasoning_tokens: 20 },
    },
  })
  expect(add([chunk(21), { choices: [], usage: null }, chunk(40)])).toMatchObject({
    inputTokens: 900,
    outputTokens: 40,
    reasoningTokens: 20,
    cacheReadInputTokens: 800,
  })
})

test("OpenAI's Responses report at the end, also for a failed answer", () => {
  const created = { type: "response.created", response: { usage: null } }
  const failed = {
    type: "response.failed",
    response: {
      usage: {
        input_tokens: 900,
        input_tokens_details: { cached_tokens: 800 },
        output_tokens: 40,
        output_tokens_details: { reasoning_tokens: 20 },
      },
    },
  }
  expect(add([created])).toBeUndefined()
  expect(add([created, failed])).toMatchObject({
    inputTokens: 900,
    outputTokens: 40,
    reasoningTokens: 20,
    cacheReadInputTokens: 800,
  })
})

test("Google counts thoughts beside the answer", () => {
  const usageMetadata = { promptTokenCount: 900, cachedContentTokenCount: 800, thoughtsTokenCount: 20 }
  expect(add([{ usageMetadata }])).toMatchObject({ inputTokens: 900, outputTokens: 20, reasoningTokens: 20 })
  expect(add([{ usageMetadata: { ...usageMetadata, candidatesTokenCount: 5 } }])).toMatchObject({
    outputTokens: 25,
    reasoningTokens: 20,
    cacheReadInputTokens: 800,
  })
})

test("other events report nothing", () => {
  for (const raw of [undefined, null, "text", 1, [], {}, { usage: null }, { message: "text" }, { response: {} }])
    expect(add([raw])).toBeUndefined()
})

test("anything but a number is ignored", () => {
  const usage = { prompt_tokens: "900", completion_tokens: NaN, prompt_tokens_details: "none" }
  expect(add([{ usage: { prompt_tokens: 900, completion_tokens: 40 } }, { usage }])).toMatchObject({
    inputTokens: 900,
    outputTokens: 40,
  })
})
