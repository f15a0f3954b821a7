/**
 * No tool starts once its attempt has failed.
 *
 * The AI SDK reports an unreadable event and goes on: a tool call behind it would start while the attempt is being taken
 * back, and the next member would call that tool again. So what follows an error is cut off before the SDK sees it.
 */
import type { Provider } from "@/provider/provider"
import type { LanguageModelV3 } from "@ai-sdk/provider"
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

function pass<Part extends { type: string }>(gate: Gate) {
  return new TransformStream<Part, Part>({
    transform(part, controller) {
      if (gate.closed) return
      if (part.type === "error") gate.closed = true
      controller.enqueue(part)
    },
  })
}

export * as CombinedGate from "./gate"
