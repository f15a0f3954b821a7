/**
 * Which member can take a request. A combined model offers what any of its members can do, so a member that cannot read
 * an image of the conversation, or has no room for it, is passed over for that request.
 */
import type { Provider } from "@/provider/provider"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"
import { CombinedOrigin } from "./origin"

type Mode = keyof Provider.Model["capabilities"]["input"]

type Needs = { readonly modes: ReadonlySet<Mode>; readonly tokens: number }

/** Upstream keeps this much for the answer where a model allows more (OUTPUT_TOKEN_MAX in provider/transform.ts). */
const OUTPUT = 32_000

export const fit = Effect.fn("CombinedRequest.fit")(function* (
  model: Provider.Model,
  messages: readonly SessionV1.WithParts[],
) {
  const origin = CombinedOrigin.of(model)
  if (!origin) return model
  const wanted = needs(messages)
  if (can(model, wanted)) return model
  const found = yield* origin.find((candidate) => can(candidate, wanted))
  if (!found) return model
  yield* Effect.logInfo("combined member passed over", {
    combined: origin.id,
    member: `${model.providerID}/${model.id}`,
    reason: reason(model, wanted),
    instead: `${found.providerID}/${found.id}`,
  })
  return found
})

export function needs(messages: readonly SessionV1.WithParts[]): Needs {
  const files = messages.flatMap((message) =>
    message.parts.flatMap((part) => {
      if (part.type === "file") return [part]
      return part.type === "tool" && part.state.status === "completed" ? (part.state.attachments ?? []) : []
    }),
  )
  // What a summary was made from says nothing about the conversation that follows it.
  const last = messages.findLast((message) => message.info.role === "assistant" && message.info.tokens.output > 0)?.info
  return {
    modes: new Set(files.flatMap((file) => mode(file.mime) ?? [])),
    tokens: last?.role === "assistant" && !last.summary ? count(last.tokens) : 0,
  }
}

export function can(model: Provider.Model, wanted: Needs) {
  return reason(model, wanted) === undefined
}

function reason(model: Provider.Model, wanted: Needs) {
  const unread = [...wanted.modes].filter((item) => !model.capabilities.input[item])
  if (unread.length) return `cannot read ${unread.join(", ")}`
  if (model.limit.context === 0) return undefined
  const room = model.limit.input ?? model.limit.context - Math.min(model.limit.output, OUTPUT)
  return wanted.tokens < room ? undefined : `has room for ${room} tokens, not for ${wanted.tokens}`
}

export function count(tokens: SessionV1.Assistant["tokens"]) {
  return tokens.total || tokens.input + tokens.output + tokens.cache.read + tokens.cache.write
}

function mode(mime: string): Mode | undefined {
  if (mime === "application/pdf") return "pdf"
  const [kind] = mime.split("/")
  return kind === "image" || kind === "audio" || kind === "video" ? kind : undefined
}

export * as CombinedRequest from "./request"
