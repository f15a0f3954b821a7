/**
 * No tool starts once its attempt has failed, nor one of whose input only a part has come.
 *
 * The AI SDK reports an unreadable event and goes on: a tool call behind it would start while the attempt is being taken
 * back, and the next member would call that tool again. And when a line ends in silence, some providers' SDKs make a call
 * of the input that has come so far. Both are cut off before the AI SDK sees them.
 *
 * It is also the one place where a provider's own events pass, so what they report is noted here, and what they say of the
 * end of an answer is kept where the SDK has no word for it.
 */
import type { Provider } from "@/provider/provider"
import type {
  LanguageModelV3,
  LanguageModelV3FinishReason,
  LanguageModelV3StreamPart,
  LanguageModelV3StreamResult,
} from "@ai-sdk/provider"
import type { Usage } from "@opencode-ai/llm"
import { CombinedFinish } from "../failure/finish"
import { CombinedUsage } from "./usage"

export type Gate = {
  closed: boolean
  /** The tokens of this answer, as far as the provider has told. */
  reported: Usage | undefined
  /** The provider's own event behind an error in this answer; SDKs pass on no more than its words. */
  failed: { readonly event: unknown } | undefined
}

export const open = (): Gate => ({ closed: false, reported: undefined, failed: undefined })

const gates = new WeakMap<Provider.Model, Gate>()

/** The model of one request, whose answer passes the gate. */
export function put(model: Provider.Model, gate: Gate): Provider.Model {
  const own = { ...model }
  gates.set(own, gate)
  return own
}

/** The language model for a request; that of a model without a gate stays as it is. */
export function guarded<Language extends object>(model: Provider.Model, language: Language): Language {
  const gate = gates.get(model)
  if (!gate) return language
  // Upstream knows one provider's models by their class, and sets properties of them, which a copy would not have.
  return new Proxy(language, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== "function") return value
      if (name !== "doStream") return value.bind(target)
      return async (options: Parameters<LanguageModelV3["doStream"]>[0]) => {
        const answer: LanguageModelV3StreamResult = await value.call(target, { ...options, includeRawChunks: true })
        return { ...answer, stream: answer.stream.pipeThrough(pass(gate, options.includeRawChunks === true)) }
      }
    },
    set: (target, name, value) => Reflect.set(target, name, value),
  })
}

function pass(gate: Gate, raw: boolean) {
  const held: LanguageModelV3StreamPart[] = []
  const seen: { -readonly [Key in keyof CombinedFinish.Seen]: CombinedFinish.Seen[Key] } = {
    said: false,
    called: false,
    blocked: undefined,
  }
  const last: { event: unknown } = { event: undefined }
  return new TransformStream<LanguageModelV3StreamPart, LanguageModelV3StreamPart>({
    transform(part, controller) {
      if (gate.closed) return
      if (part.type === "raw") {
        gate.reported = CombinedUsage.add(gate.reported, part.rawValue)
        last.event = part.rawValue
        seen.blocked ??= CombinedFinish.blocked(part.rawValue)
      }
      if (part.type === "raw" && !raw) return
      if (part.type === "error") {
        gate.closed = true
        gate.failed = { event: last.event }
      }
      if (part.type === "text-delta" || part.type === "reasoning-delta") seen.said ||= part.delta !== ""
      if (part.type === "tool-call") seen.called = true
      // A tool without parameters may be called with nothing at all: the end of the answer tells whether it was.
      if (part.type === "tool-call" && !isWhole(part.input)) {
        held.push(part)
        return
      }
      if (part.type !== "finish") {
        controller.enqueue(part)
        return
      }
      if (isFinished(part.finishReason)) held.forEach((call) => controller.enqueue(call))
      controller.enqueue({ ...part, finishReason: CombinedFinish.read(part.finishReason, seen) })
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
