/**
 * No tool starts once its attempt has failed, nor one of whose input only a part has come.
 *
 * The AI SDK reports an unreadable event and goes on: a tool call behind it would start while the attempt is being taken
 * back, and the next member would call that tool again. And when a line ends in silence, some providers' SDKs make a call
 * of the input that has come so far. Both are cut off before the AI SDK sees them.
 */
import type { Provider } from "@/provider/provider"
import type { LanguageModelV3, LanguageModelV3FinishReason, LanguageModelV3StreamPart } from "@ai-sdk/provider"
import { wrapLanguageModel } from "ai"

export type Gate = { closed: boolean }

const gates = new WeakMap<Provider.Model, Gate>()

/** The model of one request, whose answer passes the gate. */
export function put(model: Provider.Model, gate: Gate): Provider.Model {
  const own = { ...model }
  gates.set(own, gate)
  return own
}

/** The language model for a request; that of a model without a gate stays as it is. */
export function guarded(model: Provider.Model, language: LanguageModelV3): LanguageModelV3 {
  const gate = gates.get(model)
  // Upstream knows GitLab's workflow models by their class, and they run their tools themselves.
  if (!gate || model.api.npm === "gitlab-ai-provider") return language
  return wrapLanguageModel({
    model: language,
    middleware: {
      specificationVersion: "v3",
      async wrapStream({ doStream }) {
        const answer = await doStream()
        return { ...answer, stream: answer.stream.pipeThrough(pass(gate)) }
      },
    },
  })
}

function pass(gate: Gate) {
  const held: LanguageModelV3StreamPart[] = []
  return new TransformStream<LanguageModelV3StreamPart, LanguageModelV3StreamPart>({
    transform(part, controller) {
      if (gate.closed) return
      if (part.type === "error") gate.closed = true
      // A tool without parameters may be called with nothing at all: the end of the answer tells whether it was.
      if (part.type === "tool-call" && !isWhole(part.input)) return void held.push(part)
      if (part.type === "finish" && isFinished(part.finishReason)) held.forEach((call) => controller.enqueue(call))
      controller.enqueue(part)
    },
  })
}

function isWhole(input: string) {
  try {
    return JSON.parse(input) !== undefined
  } catch {
    return false
  }
}

/** What SDKs say of an answer for which no reason came. */
function isFinished(reason: LanguageModelV3FinishReason) {
  return reason.unified !== "other" || reason.raw !== undefined
}

export * as CombinedGate from "./gate"
