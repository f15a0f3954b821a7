/**
 * Which member can take a request. A combined model offers what any of its members can do. So a member that cannot read
 * an image in the conversation, or has too little room, is skipped for that request.
 */
import type { Provider } from "@/provider/provider"
import type { Session } from "@/session/session"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect, Option } from "effect"
import { CombinedRoute } from "../provider/route"
import { CombinedAnswer } from "../choice/answer"
import { CombinedRun } from "../choice/run"
import { CombinedWarm } from "../choice/warm"
import { CombinedRuns } from "../driver/runs"
import { CombinedSteering } from "../host/steering"
import { CombinedDecide } from "../turn/decide"
import { CombinedMember } from "../member"

type Mode = keyof Provider.Model["capabilities"]["input"]

type Needs = { readonly modes: ReadonlySet<Mode>; readonly tokens: number }

/** Upstream reserves this much for the answer if a model allows more (OUTPUT_TOKEN_MAX in provider/transform.ts). */
const OUTPUT = 32_000

/** The member for the next step: the first one that can take it. */
export const fit = Effect.fn("CombinedFit.fit")(function* (
  plain: Provider.Model,
  messages: readonly SessionV1.WithParts[],
  sessions?: Pick<Session.Interface, "get">,
) {
  const asked = messages.findLast(({ info }) => info.role === "user")?.info
  const model = yield* CombinedRoute.chained(plain, asked ? [asked.agent] : [])
  const route = CombinedRoute.of(model)
  if (!route) return model
  const run = yield* CombinedRuns.current
  if (sessions && asked) run.steer = yield* CombinedSteering.of(sessions, asked.sessionID)
  const wanted = needs(messages)
  const own: CombinedRoute.Wish = {
    fits: (candidate) => can(candidate, wanted),
    warm: warm(messages, Date.now(), route.settings.stickiness),
  }
  const next = yield* route.next(wish({ wish: own }, run, "step"))
  const found = next.model ?? model
  const chosen = CombinedRoute.of(found)
  const why = reason(model, wanted)
  if (why)
    yield* Effect.logInfo("combined member passed over", {
      combined: route.id,
      member: CombinedMember.key(route.member),
      reason: why,
      instead: `${found.providerID}/${found.id}`,
    })
  if (!chosen) return found
  const passed = next.type === "serve" ? next.spared : undefined
  const spared = passed && !answeredLast(messages, chosen.member) ? passed : undefined
  const opening = sessions && asked ? yield* leftOut(sessions, messages, chosen, run) : []
  return CombinedRoute.mark(found, {
    ...chosen,
    ...(opening.length && { opening }),
    wish: own,
    run,
    forgone: CombinedRun.forgone(run, chosen.member),
    ...(spared && { spared }),
  })
})

/** The members without which the session starts, before its first answer. Only for a session that the user opened. */
const leftOut = Effect.fn("CombinedFit.leftOut")(function* (
  sessions: Pick<Session.Interface, "get">,
  messages: readonly SessionV1.WithParts[],
  route: CombinedRoute.Route,
  run: CombinedRun.Run,
) {
  const first = messages[0]?.info
  if (!first || run.retracted > 0 || messages.some(({ info }) => info.role === "assistant")) return []
  const members = yield* route.leftOut(run.steer)
  const session = members.length ? yield* Effect.option(sessions.get(first.sessionID)) : Option.none()
  return Option.isSome(session) && session.value.parentID === undefined ? members : []
})

/** Whether the member gave the last answer of the session, so that nothing changes for the user. */
function answeredLast(messages: readonly SessionV1.WithParts[], member: CombinedMember.Member) {
  const last = messages.findLast(({ info }) => info.role === "assistant" && info.time.completed !== undefined)?.info
  return last?.role === "assistant" && CombinedMember.same(last, member)
}

/** What a request requires from the members, considering earlier requests for the same answer. */
export function wish(
  route: Pick<CombinedRoute.Route, "wish">,
  run: CombinedRun.Run,
  purpose: CombinedDecide.Purpose,
  answer = run.answer,
) {
  const holds = (model: Provider.Model) =>
    CombinedRun.mayHold(run, { providerID: model.providerID, modelID: model.id }, room(model))
  return {
    ...route.wish,
    ...CombinedDecide.wish(answer, purpose),
    steer: run.steer,
    fits: (model: Provider.Model) => (route.wish?.fits?.(model) ?? true) && holds(model),
  }
}

/** What is known about the chosen member right before its request. The request probes it if needed. */
export const facts = Effect.fn("CombinedFit.facts")(function* (
  route: CombinedRoute.Route,
  run: CombinedRun.Run,
  purpose: CombinedDecide.Purpose,
) {
  const wanted = wish(route, run, purpose)
  const until = (yield* route.cooling)?.until
  const barred = route.terms.bars.some((bar) => CombinedMember.same(bar, route.member))
  const ruledOut = barred || !(yield* route.permits(run.steer))
  const open = !ruledOut && wanted.open(route.member)
  const probed = until === undefined && open ? !(yield* route.claim) : false
  // Checking all other members takes a while, and a healthy member does not need it.
  const others = until !== undefined || probed || !open ? yield* route.others(wanted) : true
  const about = { purpose, answer: run.answer, member: route.member, until, probed, ruledOut, others }
  return { ...about, wait: route.settings.wait, now: Date.now() }
})

/** Whether another member that could be asked for the next answer has more room than this one. */
export function roomier(route: CombinedRoute.Route, run: CombinedRun.Run, tokens: SessionV1.Assistant["tokens"]) {
  const { fits, ...wanted } = wish(route, run, "step", CombinedAnswer.FRESH)
  const needed = { modes: new Set<never>(), tokens: count(tokens) }
  return route.others({ ...wanted, fits: (model) => (fits?.(model) ?? true) && can(model, needed) })
}

/** How many attempts of this run were discarded. They do not count as steps of the agent. */
export function retractions(model: Provider.Model) {
  return CombinedRoute.of(model)?.run?.retracted ?? 0
}

/** Tells which members hold a prompt cache of this session. */
export function warm(messages: readonly SessionV1.WithParts[], now: number, stickiness: number) {
  const answers = messages.flatMap(({ info }) =>
    info.role === "assistant" && !info.error && !info.summary && info.time.completed !== undefined
      ? [{ member: CombinedMember.key(info), created: info.time.created, completed: info.time.completed }]
      : [],
  )
  return CombinedWarm.warm(answers, now, stickiness)
}

export function needs(messages: readonly SessionV1.WithParts[]): Needs {
  const files = messages.flatMap((message) =>
    message.parts.flatMap((part) => {
      if (part.type === "file") return [part]
      return part.type === "tool" && part.state.status === "completed" ? (part.state.attachments ?? []) : []
    }),
  )
  // What a summary was made from does not matter for the conversation after it. But after the summary, upstream puts
  // older messages that it has kept. Only the ids show which message is the newest.
  const answers = messages.flatMap(({ info }) => (info.role === "assistant" && info.tokens.output > 0 ? [info] : []))
  const last = answers.reduce<SessionV1.Assistant | undefined>(
    (newest, info) => (newest && newest.id > info.id ? newest : info),
    undefined,
  )
  return {
    modes: new Set(files.flatMap((file) => mode(file.mime) ?? [])),
    tokens: last && !last.summary ? count(last.tokens) : 0,
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

/** How many tokens a conversation may have; unlimited if unknown. */
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
