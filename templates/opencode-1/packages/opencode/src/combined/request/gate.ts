/**
 * No tool starts once its attempt has failed, or if its input is incomplete.
 *
 * The AI SDK reports an unreadable event and continues. A tool call after it would start while the attempt is being
 * discarded, and the next member would call that tool again. And if an answer is cut off, some providers' SDKs make a
 * call from the partial input. Both are removed before the AI SDK sees them.
 *
 * All of a provider's own events pass through here. So the tokens that they report are noted, and so is what they say
 * about an error or the end of an answer, in case the SDK has no word for it.
 */
import type { Provider } from "@/provider/provider"
import type {
  LanguageModelV3,
  LanguageModelV3StreamPart,
  LanguageModelV3StreamResult,
  LanguageModelV3ToolCall,
} from "@ai-sdk/provider"
import type { Usage } from "@opencode-ai/llm"
import { CombinedFailure } from "../failure/classify"
import { CombinedEvent } from "../failure/event"
import { CombinedFinish } from "../failure/finish"
import { CombinedRedact } from "../failure/redact"
import { CombinedWindow, type Window } from "../health/window"
import { CombinedCredentials } from "../provider/credentials"
import { CombinedTransport } from "./transport"
import { CombinedUsage } from "./usage"

export type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

export type Gate = {
  closed: boolean
  /** The tokens of this answer, as far as the provider has reported them. */
  reported: Usage | undefined
  /** The provider's own event behind an error in this answer. SDKs only pass on its message. */
  failed: { readonly event: unknown } | undefined
  /** The provider's own word for the end of the answer. */
  ending: string | undefined
  /** The tool of a call that was dropped because its arguments were incomplete. */
  cut: string | undefined
  /** The provider says that the answer is complete, although it has such a call. */
  garbled: boolean
  /** An error that the provider has sent but its SDK has not reported yet. */
  told: { readonly event: unknown } | undefined
  /** Asked right before the request goes out. If it returns false, nothing is sent and the attempt fails. */
  mayAsk: () => boolean
  unsent: boolean
  /** Secrets that were sent with the request. They must not be stored with what is said about its failure. */
  secrets: () => readonly string[]
  /** Called with what the answer says about the plan. */
  sees: (windows: readonly Window[]) => void
  /** Called when the model has finished its answer, before its tools have ended. */
  ends: () => void
  /** When the request was sent, or anything of its answer last arrived, even a comment (`performance.now()`). */
  heard: number | undefined
}

export const open = (): Gate => ({
  closed: false,
  reported: undefined,
  failed: undefined,
  ending: undefined,
  cut: undefined,
  garbled: false,
  told: undefined,
  mayAsk: () => true,
  unsent: false,
  secrets: () => [],
  sees: () => {},
  ends: () => {},
  heard: undefined,
})

const key = Symbol.for("opencode.combined.gate")

/** The model for one request whose answer passes through here. */
export function put(model: Provider.Model, gate: Gate): Provider.Model {
  return Object.assign({ ...model }, { [key]: gate })
}

/** The language model for a request. Without a gate, it is returned unchanged. */
export function guarded<Language extends object>(model: Provider.Model, language: Language): Language {
  const gate = (model as Provider.Model & { [key]?: Gate })[key]
  if (!gate) return language
  // A proxy, because upstream recognises one provider's models by their class and sets properties on them. A copy would
  // lack both.
  return new Proxy(language, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== "function") return value
      if (name !== "doStream") return value.bind(target)
      return async (options: Parameters<LanguageModelV3["doStream"]>[0]) => {
        const answer: LanguageModelV3StreamResult = await asked(gate, () =>
          value.call(watched(model, target, gate), { ...options, includeRawChunks: true }),
        )
        return { ...answer, stream: answer.stream.pipeThrough(pass(gate, options.includeRawChunks === true)) }
      }
    },
    set: (target, name, value) => Reflect.set(target, name, value),
  })
}

/** An error of a request contains its address, which may include a login, and whatever else the provider has said. */
async function asked<Answer>(gate: Gate, ask: () => Promise<Answer>) {
  try {
    return await ask()
  } catch (error) {
    throw CombinedRedact.within(error, gate.secrets())
  }
}

/** The same model for one request, whose answer is inspected before the SDK reads it. Unchanged if it has no fetch. */
function watched(model: Provider.Model, language: object, gate: Gate): object {
  const { config } = language as { config?: { fetch?: Fetch } }
  // Upstream gives GitLab's workflows their tools as properties, and they have a state of their own.
  if (typeof config !== "object" || config === null || "toolExecutor" in language) return language
  const send = CombinedTransport.watched(config.fetch ?? globalThis.fetch, {
    tell: (event) => (gate.told = { event }),
    asks: (secrets) => (gate.secrets = secrets),
    known: () => CombinedCredentials.secrets(model.providerID),
    sees: (windows) => gate.sees(windows),
    hears: () => (gate.heard = performance.now()),
  })
  const fetch: Fetch = async (...input) => {
    if (gate.mayAsk()) return send(...input)
    gate.unsent = true
    throw new Error("Not sent: the provider has failed elsewhere meanwhile")
  }
  return Object.create(language, { config: { value: Object.create(config, { fetch: { value: fetch } }) } })
}

/** The limit for a provider's word for the end of an answer. */
const LONGEST_WORD = 80

function pass(gate: Gate, raw: boolean) {
  const held: LanguageModelV3ToolCall[] = []
  const seen: { -readonly [Key in keyof CombinedFinish.Seen]: CombinedFinish.Seen[Key] } = {
    said: false,
    called: false,
    cut: false,
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
        const windows = CombinedWindow.inBody(part.rawValue, Date.now())
        if (windows.length) gate.sees(windows)
        // Most SDKs report the error with the next part, in their own words.
        if (CombinedEvent.failed(part.rawValue)) gate.told = { event: part.rawValue }
        if (raw) controller.enqueue(part)
        return
      }
      if (part.type === "error" || gate.told) {
        gate.closed = true
        // The error is shown, and stored with the message in upstream's database and logs.
        const secrets = gate.secrets()
        gate.failed = { event: CombinedRedact.within(gate.told ? gate.told.event : last.event, secrets) }
        const error =
          part.type === "error"
            ? CombinedRedact.within(part.error, secrets)
            : new Error(CombinedFailure.describe(gate.failed.event))
        controller.enqueue({ type: "error", error })
        return
      }
      if (part.type === "text-delta" || part.type === "reasoning-delta") seen.said ||= part.delta !== ""
      if (part.type === "tool-call") {
        // A tool without parameters may be called without any arguments. The end of the answer shows whether that was
        // intended.
        if (!isWhole(part.input)) {
          seen.cut = true
          held.push(part)
          return
        }
        seen.called = true
      }
      if (part.type !== "finish") {
        controller.enqueue(part)
        return
      }
      gate.ends()
      const { raw: ending } = part.finishReason
      gate.ending = ending && CombinedRedact.redact(ending, gate.secrets()).slice(0, LONGEST_WORD)
      const complete = CombinedFinish.isComplete(part.finishReason)
      // Upstream would tell the model that the call is invalid, again and again if it is always cut off.
      const cut = held.filter((call) => !complete || call.input.trim())
      if (complete) held.filter((call) => !cut.includes(call)).forEach((call) => controller.enqueue(call))
      gate.cut = cut.at(0)?.toolName
      gate.garbled = complete && cut.length > 0
      controller.enqueue({
        ...part,
        finishReason: CombinedFinish.read({ ...part.finishReason, raw: gate.ending }, seen),
      })
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

export * as CombinedGate from "./gate"
