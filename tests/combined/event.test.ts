import { expect, test } from "bun:test"
import { CombinedEvent } from "@/combined/failure/event"

for (const [what, event] of [
  ["an error of OpenAI's protocol", { error: { message: "no", code: 500 } }],
  ["an error that is a text", { error: "no" }],
  ["Anthropic's event", { type: "error", error: { type: "overloaded_error" } }],
  ["a response that failed", { type: "response.failed", response: { error: { code: "server_error" } } }],
  ["Google's error beside nothing", { error: { code: 503, status: "UNAVAILABLE" } }],
  ["MiniMax' own number", { choices: null, base_resp: { status_code: 2056, status_msg: "limit" } }],
  ["a gateway's code", { code: 500, msg: "404 NOT_FOUND", success: false }],
  ["a gateway's word", { success: false, message: "no" }],
  ["a server's detail", { detail: "Internal Server Error" }],
] as const)
  test(`${what} is a failure`, () => expect(CombinedEvent.failed(event)).toBe(true))

for (const [what, event] of [
  ["a piece of text", { choices: [{ delta: { content: "x" } }] }],
  ["one beside an empty error", { choices: [], error: null }],
  ["a good number of MiniMax", { choices: [], base_resp: { status_code: 0 } }],
  ["a response that is complete", { type: "response.completed", response: { error: null } }],
  ["Anthropic's start", { type: "message_start", message: { role: "assistant" } }],
  ["a frame of Bedrock", { contentBlockDelta: { delta: { text: "x" } } }],
  ["a tool's message", { type: "content_block_delta", delta: { partial_json: '{"message":"x","code":1}' } }],
  ["a text", "data"],
  ["nothing", undefined],
] as const)
  test(`${what} is none`, () => expect(CombinedEvent.failed(event)).toBe(false))
