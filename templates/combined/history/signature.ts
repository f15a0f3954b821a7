/**
 * Claude's signed thinking. The signature is Anthropic's and is valid on every platform that serves the model, but each
 * SDK stores it in a different place. Pure.
 */
import { isObject } from "../value"

export type Signed = { readonly signature: string } | { readonly redactedData: string }

export type Thought = { readonly text: string; readonly signed: Signed }

/** What SDKs store with a part of an answer. The key is the SDK's name for itself. */
export type Metadata = Readonly<Record<string, unknown>>

const ANTHROPIC = ["@ai-sdk/anthropic", "@ai-sdk/google-vertex/anthropic"]

/** The format that OpenRouter gives for thinking signed by Anthropic. */
const FORMAT = "anthropic-claude-v1"

export function read(metadata: Metadata | undefined): Signed | undefined {
  for (const own of [metadata?.anthropic, metadata?.bedrock]) {
    if (!isObject(own)) continue
    if (typeof own.signature === "string") return { signature: own.signature }
    if (typeof own.redactedData === "string") return { redactedData: own.redactedData }
  }
  const details = isObject(metadata?.openrouter) ? metadata.openrouter.reasoning_details : undefined
  // If a part has more than one, it is unknown which text belongs to which signature.
  const found = Array.isArray(details) ? details.filter((item) => item?.signature || item?.data) : []
  if (found.length !== 1) return undefined
  const [{ signature, data }] = found
  if (typeof signature === "string") return { signature }
  return typeof data === "string" ? { redactedData: data } : undefined
}

/** The metadata for one of a message's thoughts, in the form of the reader's SDK; undefined if that accepts none. */
export function write(npm: string, all: readonly Thought[], index: number) {
  if (ANTHROPIC.includes(npm)) return { anthropic: { ...all[index].signed } }
  if (npm === "@ai-sdk/amazon-bedrock") return { bedrock: { ...all[index].signed } }
  if (npm !== "@openrouter/ai-sdk-provider") return undefined
  // This SDK reads the thinking of a whole message from its first part.
  const details = all.map(({ text, signed }, at) =>
    "signature" in signed
      ? { type: "reasoning.text", text, signature: signed.signature, format: FORMAT, index: at }
      : { type: "reasoning.encrypted", data: signed.redactedData, format: FORMAT, index: at },
  )
  return { openrouter: { reasoning_details: details } }
}

/** Google's marker for a lost signature: https://ai.google.dev/gemini-api/docs/thought-signatures */
export const LOST = { google: { thoughtSignature: "skip_thought_signature_validator" } }

/** Whether it has a signature of Gemini's. Gemini's SDKs read each other's signatures. */
export function isGemini(metadata: Metadata | undefined) {
  return [metadata?.google, metadata?.vertex].some((own) => isObject(own) && typeof own.thoughtSignature === "string")
}

export * as CombinedSignature from "./signature"
