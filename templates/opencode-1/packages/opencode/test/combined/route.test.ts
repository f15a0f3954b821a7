import { expect, test } from "bun:test"
import type { ModelMessage } from "ai"
import { CombinedRoute } from "@/combined/provider/route"
import { Provider } from "@/provider/provider"
import { ModelV2 } from "@opencode-ai/core/model"
import { ProviderV2 } from "@opencode-ai/core/provider"
import { ProviderTest } from "../fake/provider"
import { routeSample } from "./route-sample"

const model = ProviderTest.model({ id: ModelV2.ID.make("glm"), providerID: ProviderV2.ID.make("acme") })

const route = routeSample(model, { id: "glm-4-6" })

test("a model without a mark has no route", () => {
  expect(CombinedRoute.of(model)).toBeUndefined()
})

test("a mark is on the copy and survives a spread", () => {
  const marked = CombinedRoute.mark(model, route)
  expect(CombinedRoute.of(marked)?.id).toBe("glm-4-6")
  expect(CombinedRoute.of({ ...marked })?.id).toBe("glm-4-6")
  expect(CombinedRoute.of(model)).toBeUndefined()
})

test("a mark is invisible to what is stored and sent", () => {
  const marked = CombinedRoute.mark(model, route)
  expect(JSON.stringify(marked)).toBe(JSON.stringify(model))
  expect(Object.keys(marked)).toEqual(Object.keys(model))
  const info = { id: model.providerID, name: "Acme", source: "config" as const, env: [], options: {} }
  expect(Provider.toPublicInfo({ ...info, models: { glm: marked } })).toEqual(
    Provider.toPublicInfo({ ...info, models: { glm: model } }),
  )
})

const metadata = { acme: { signature: "abc" } }

test("messages for another provider lose reasoning and metadata, and keep everything else", () => {
  const messages: ModelMessage[] = [
    { role: "system", content: "be brief", providerOptions: metadata },
    { role: "user", content: [{ type: "text", text: "what is it?" }] },
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "let me see", providerOptions: metadata },
        { type: "text", text: "I look it up", providerOptions: metadata },
        { type: "tool-call", toolCallId: "call_one", toolName: "bash", input: {}, providerOptions: metadata },
      ],
    },
    {
      role: "tool",
      content: [
        { type: "tool-result", toolCallId: "call_one", toolName: "bash", output: { type: "text", value: "forty-two" } },
      ],
    },
    { role: "assistant", content: "it is forty-two" },
  ]
  const ported = CombinedRoute.portable(messages)
  expect(JSON.parse(JSON.stringify(ported))).toEqual([
    { role: "system", content: "be brief" },
    { role: "user", content: [{ type: "text", text: "what is it?" }] },
    {
      role: "assistant",
      content: [
        { type: "text", text: "I look it up" },
        { type: "tool-call", toolCallId: "call_one", toolName: "bash", input: {} },
      ],
    },
    {
      role: "tool",
      content: [
        { type: "tool-result", toolCallId: "call_one", toolName: "bash", output: { type: "text", value: "forty-two" } },
      ],
    },
    { role: "assistant", content: "it is forty-two" },
  ])
})

test("metadata inside a user's message and a tool's result is removed too", () => {
  const ported = CombinedRoute.portable([
    { role: "user", content: [{ type: "text", text: "hello", providerOptions: metadata }] },
    {
      role: "tool",
      content: [
        {
          type: "tool-result",
          toolCallId: "call_one",
          toolName: "bash",
          output: { type: "text", value: "forty-two" },
          providerOptions: metadata,
        },
      ],
    },
  ])
  expect(JSON.stringify(ported)).not.toContain("abc")
})

test("a message with only reasoning is removed, since many providers refuse an empty one", () => {
  expect(CombinedRoute.portable([{ role: "assistant", content: [{ type: "reasoning", text: "hm" }] }])).toEqual([])
})

test("the messages that were given are not changed", () => {
  const messages: ModelMessage[] = [{ role: "assistant", content: [{ type: "reasoning", text: "hm" }] }]
  CombinedRoute.portable(messages)
  expect(messages[0].content).toHaveLength(1)
})
