/** What `opencode2 run` prints about the members of a combined model: which one answers, and which one takes over. */
import { CombinedMember } from "@opencode-ai/core/combined/member"
import { CombinedNotice } from "@opencode-ai/core/combined/turn/notice"
import { CombinedClock } from "@opencode-ai/core/combined/view/clock"
import type { CombinedHappening } from "@opencode-ai/core/combined/view/happening"
import { UI } from "../run/ui"

type Event = { readonly type: string; readonly data: unknown }

type Run = {
  readonly sessionID: string
  readonly format: string
  readonly compatibility?: string
  readonly model?: { readonly providerID: string }
}

/** Prints a line of JSON; returns whether the run prints JSON. */
type Emit = (type: string, timestamp: number, data: Record<string, unknown>) => boolean

type Started = { readonly agent: string; readonly model: { readonly providerID: string; readonly id: string } }

/** Upstream's event before it asks again. It is also sent for a failover, and for a wait for a member. */
type Scheduled = { readonly at: number; readonly error: { readonly message: string } }

/** The member that was printed last, by run. */
const answering = new WeakMap<Run, string>()

/** Returns whether the event has been dealt with. Upstream's types do not know all of these events. */
export function prints(run: Run, { type, data }: Event, emit: Emit) {
  if (type === "combined.switched") {
    const happening = data as CombinedHappening.Happening
    if (!emit("failover", happening.at, happening)) UI.println(line(happening))
    return true
  }
  if (run.model?.providerID !== "combined" || run.format === "json" || run.compatibility) return false
  if (type === "session.retry.scheduled") {
    const { at, error } = data as Scheduled
    if (!error.message.startsWith(CombinedNotice.SWITCH)) return false
    // A failover that does not wait has been printed already.
    const now = Date.now()
    if (at > now) UI.println(`${error.message}, until ${CombinedClock.clock(at, now)}`)
    return true
  }
  if (type !== "session.step.started") return false
  // A step starts once per attempt. Its line is only printed if another member answers.
  const { agent, model } = data as Started
  const member = CombinedMember.key({ providerID: model.providerID, modelID: model.id })
  if (answering.get(run) !== member) {
    UI.empty()
    UI.println(`> ${agent} · ${model.id} (${model.providerID})`)
    UI.empty()
  }
  answering.set(run, member)
  return true
}

/** A part of an answer that is printed. It is taken back if its step starts again. */
const PRINTED = ["session.text.ended", "session.reasoning.ended"]

/** Events after which what came before them stays. */
const STAYS = ["session.tool.called", "session.step.ended", "session.step.failed"]

const streams = new WeakMap<Run, AsyncIterator<unknown>>()

/** The events of a run in an order in which they can be printed: a text comes when it is certain to stay. */
export function settled<E extends Event>(run: Run, stream: AsyncIterator<E>): AsyncIterator<E> {
  if (run.model?.providerID !== "combined") return stream
  const events = streams.get(run) ?? hold(run, stream)
  streams.set(run, events)
  return events as AsyncIterator<E>
}

async function* hold<E extends Event>({ sessionID }: Run, stream: AsyncIterator<E>): AsyncGenerator<E> {
  const held: E[] = []
  while (true) {
    const next = await stream.next()
    if (next.done) break
    const event = next.value
    const about = event.data as { readonly sessionID?: string; readonly executed?: boolean }
    if (about.sessionID !== sessionID) {
      yield event
      continue
    }
    if (PRINTED.includes(event.type)) {
      held.push(event)
      continue
    }
    if (event.type === "session.step.started") held.length = 0
    const stays = STAYS.includes(event.type) && about.executed !== true
    if (stays || event.type.startsWith("session.execution.")) yield* held.splice(0)
    yield event
  }
  yield* held
}

/** The same words as in OpenCode 1. */
const line = ({ action, message }: CombinedHappening.Happening) =>
  action === "moved" ? `${CombinedNotice.SWITCH}${message}` : message

export * as CombinedPrinting from "./printing"
