/**
 * How a protocol accepts unsigned thoughts: those of open models (GLM, DeepSeek, Kimi, Qwen, MiniMax). Pure.
 *
 * - `field`: the SDK writes them beside the text (`reasoning_content`, `reasoning`, the model's interleaved field).
 * - `details`: OpenRouter's SDK writes them only from `reasoning_details`.
 * - `none`: they are left out. The protocol only accepts signed thoughts (Anthropic, Bedrock, Gemini, OpenAI's Responses),
 *   or the SDK drops them (xAI) or turns them into answer text (Mistral, Alibaba, Cohere).
 *
 * Source: the SDKs' conversion of prompts, in the versions of OpenCode 1.18.3.
 */
export type Way = "field" | "details" | "none"

const NONE = [
  "@ai-sdk/anthropic",
  "@ai-sdk/google-vertex/anthropic",
  "@ai-sdk/amazon-bedrock",
  "@ai-sdk/amazon-bedrock/mantle",
  "@ai-sdk/openai",
  "@ai-sdk/azure",
  "@ai-sdk/google",
  "@ai-sdk/google-vertex",
  "@ai-sdk/github-copilot",
  "@ai-sdk/mistral",
  "@ai-sdk/alibaba",
  "@ai-sdk/cohere",
  "@ai-sdk/xai",
  "@ai-sdk/perplexity",
]

export function wayFor(reader: { readonly npm: string; readonly reasons: boolean }): Way {
  if (!reader.reasons || NONE.includes(reader.npm)) return "none"
  return reader.npm === "@openrouter/ai-sdk-provider" ? "details" : "field"
}

/**
 * What OpenRouter's SDK sends as the thoughts of a whole message. It reads them from the first part that has them, and
 * drops those in a format that must be signed.
 */
export function details(texts: readonly string[]) {
  return {
    openrouter: {
      reasoning_details: [{ type: "reasoning.text", text: texts.join("\n\n"), format: "unknown", index: 0 }],
    },
  }
}

export * as CombinedThoughts from "./thoughts"
