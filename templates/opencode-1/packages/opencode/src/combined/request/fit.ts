/**
 * Which member can take a request. A combined model offers what any of its members can do, so a member that cannot read
 * an image of the conversation, or has no room for it, is passed over for that request.
 */
import type { Provider } from "@/provider/provider"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"
import { CombinedRoute } from "../provider/route"
import { CombinedProgress } from "../driver/progress"
import { CombinedWaiting } from "../driver/waiting"
import { CombinedMember } from "../member"

type Mode = keyof Provider.Model["capabilities"]["input"]

type Needs = { readonly modes: ReadonlySet<Mode>; readonly tokens: number }

/** Upstream keeps this much for the answer where a model allows more (OUTPUT_TOKEN_MAX in provider/transform.ts). */
const OUTPUT = 32_000

/** A session leaves a member that took over at the latest after this many times the life of a prompt cache. */
const STAYS = 6

/** The member that is to do the next step: one that can, of those the one that stands first. */
export const fit = Effect.fn("CombinedFit.fit")(function* (
  model: Provider.Model,
  messages: readonly SessionV1.WithParts[],
) {
  const origin = CombinedRoute.of(model)
  if (!origin) return model
  const wanted = needs(messages)
  const asked = messages.findLast((message) => message.info.role === "user")?.info.id
  const own: CombinedRoute.Wish = {
    fits: (candidate) => can(candidate, wanted) && room(candidate) > CombinedProgress.peek(asked).outgrown,
    warm: warm(messages, Date.now(), origin.settings.stickiness),
  }
  const pick = Effect.map(origin.next(wish(own, asked)), (next) => next.model ?? model)
  if (asked) yield* CombinedProgress.of(asked).release
  const first = yield* pick
  // Another request may have begun to probe that member meanwhile; the second choice takes that into account.
  const claimed = yield* CombinedRoute.of(first)?.claim ?? Effect.succeed(true)
  const found = claimed ? first : yield* pick
  const chosen = CombinedRoute.of(found)
  if (asked && chosen) CombinedProgress.of(asked).release = chosen.release
  const why = reason(model, wanted)
  if (why)
    yield* Effect.logInfo("combined member passed over", {
      combined: origin.id,
      member: `${model.providerID}/${model.id}`,
      reason: why,
      instead: `${found.providerID}/${found.id}`,
    })
  return chosen ? CombinedRoute.mark(found, { ...chosen, wish: own }) : found
})

/** What the request for an answer makes of the members, after what has happened to earlier requests for it. */
export function wish(own: CombinedRoute.Wish | undefined, parentID: string | undefined): CombinedRoute.Wish {
  const { left } = CombinedProgress.peek(parentID)
  return {
    ...own,
    left: (member) => left.get(CombinedMember.key(member)) ?? 0,
    patience: CombinedWaiting.patience(parentID),
  }
}

/**
 * Tells which members hold a prompt cache of this session: those that answered in it within `stickiness` milliseconds.
 * The one that answered last counts no longer once it has served for long: the preferred one must come back some time.
 */
export function warm(messages: readonly SessionV1.WithParts[], now: number, stickiness: number) {
  const answers = messages.flatMap(({ info }) =>
    info.role === "assistant" && !info.error && !info.summary && info.time.completed !== undefined
      ? [{ member: CombinedMember.key(info), created: info.time.created, completed: info.time.completed }]
      : [],
  )
  const recent = new Set(answers.filter((item) => now - item.completed < stickiness).map((item) => item.member))
  const last = answers.at(-1)?.member
  const other = answers.findLastIndex((item) => item.member !== last)
  // A session that never had another member is not away from any.
  if (last !== undefined && other >= 0 && now - answers[other + 1].created > STAYS * stickiness) recent.delete(last)
  return (member: CombinedMember.Member) => recent.has(CombinedMember.key(member))
}

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
  return wanted.tokens < room(model) ? undefined : `has room for ${room(model)} tokens, not for ${wanted.tokens}`
}

/** Tokens that a conversation may have; endless where nobody knows. */
export function room(model: Provider.Model) {
  if (model.limit.context === 0) return Infinity
  return model.limit.input ?? model.limit.context - Math.min(model.limit.output, OUTPUT)
}

export function count(tokens: SessionV1.Assistant["tokens"]) {
  return tokens.total || tokens.input + tokens.output + tokens.cache.read + tokens.cache.write
}

function mode(mime: string): Mode | undefined {
  if (mime === "application/pdf") return "pdf"
  const [kind] = mime.split("/")
  return kind === "image" || kind === "audio" || kind === "video" ? kind : undefined
}

export * as CombinedFit from "./fit"
