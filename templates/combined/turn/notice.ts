/** What `opencode run` prints about the serving provider, and why that changes. */
import type { Failed } from "../choice/answer"
import type { Cooldown } from "../health/cooldown"
import type { Window } from "../health/window"
import { CombinedMember, type Name } from "../member"
import type { Bar } from "../money/words"
import { CombinedText } from "../text"
import { CombinedClock } from "../view/clock"
import { CombinedHappening } from "../view/happening"
import type { CombinedSteer } from "../choice/steer"

type Out = { readonly member: Name; readonly cooldown: Cooldown }

const PREFIX = "serving:"

/** A session's status starts with this when another member takes over. The TUI looks for the same words. */
export const SWITCH = "Failover: "

/** The line that says which member takes over from which. */
export function switched(
  failed: string,
  reason: string,
  { providerID, ...next }: CombinedHappening.Differences & { readonly providerID: string },
) {
  return CombinedText.shown(`${SWITCH}${failed} (${reason}), ${CombinedHappening.takesOver(providerID, next)}`)
}

/** Why a member is not asked although it could answer; for `switched`. */
export function nearlyUsed({ usedShare, name, endsAt }: Window, now: number) {
  return `${Math.floor(usedShare * 100)} % of its ${name} used, until ${CombinedClock.clock(endsAt, now)}`
}

/** The line that says that no member can answer now, and which one is waited for. */
export function waiting(id: string, provider: string, reason: string) {
  return CombinedText.shown(`${SWITCH}all providers of ${id} are unavailable, waiting for ${provider}: ${reason}`)
}

/** A session's status starts with this while it waits. The TUI looks for the same words. */
export const WAIT = "Waiting for "

/**
 * The line for a wait in OpenCode 1: which member is back first, when, and why it is not there. Short, for small
 * screens.
 */
export function waitingLong(provider: string, until: number, reason: string, now: number) {
  return CombinedText.shown(`${WAIT}${provider} until ${CombinedClock.clock(until, now)}: ${reason}`)
}

/**
 * The first failure comes first, because a later one must not hide what went wrong. Then members that were already
 * unavailable, and last those that may not be asked because of what they cost, with what the user can do about it.
 */
export function exhausted(
  id: string,
  failures: readonly Failed[],
  out: readonly Out[],
  bars: readonly Bar[] = [],
  now = Date.now(),
) {
  const earlier = out.map((item) => ({ ...item.member, message: item.cooldown.message }))
  const all = [...failures, ...earlier, ...bars].map((item) => ({
    member: CombinedMember.key(item),
    message: item.message,
  }))
  const [first] = out
  return [
    `No provider of ${id} can answer now.`,
    ...all
      .filter((item, index) => all.findIndex((other) => other.member === item.member) === index)
      .map((item) => `${item.member}: ${item.message}`),
    ...(first
      ? [
          `${first.member.providerID} should be back first, at ${CombinedClock.clock(first.cooldown.until, now)} (in ${CombinedClock.span(first.cooldown.until - now)}).`,
        ]
      : []),
    ...new Set(bars.map((bar) => bar.help)),
  ]
    .map(CombinedText.shown)
    .join("\n")
}

/** The lines after `exhausted` about members that the user does not want asked. */
export function ruledOut(
  members: readonly { readonly member: Name; readonly reason: CombinedSteer.Reason }[],
  pin?: string,
) {
  const keys = (reason: CombinedSteer.Reason) =>
    members.filter((item) => item.reason === reason).map((item) => CombinedMember.key(item.member))
  const [skipped, off, elsewhere] = [keys("skipped"), keys("off"), keys("pinned elsewhere")]
  return [
    ...(elsewhere.length
      ? [`${pin ?? "Another provider"} is pinned in this session, so these are not asked: ${elsewhere.join(", ")}.`]
      : []),
    ...(skipped.length ? [`These are skipped in this session: ${skipped.join(", ")}.`] : []),
    ...(off.length ? [`Failover is off in this session, so these are not asked: ${off.join(", ")}.`] : []),
    ...(members.length ? ["Change that with /combined."] : []),
  ]
    .map(CombinedText.shown)
    .join("\n")
}

/** The conversation was already compacted, but is still too long for all members. */
export function tooLong(id: string) {
  return `The conversation is too long for every provider of ${id}, although it was compacted. Start a new session, or undo the last message and send less.`
}

/** The line to print for an event of the server; undefined if the event is about something else. */
export function announced(event: { readonly type: string; readonly properties: unknown }, sessionID: string) {
  if (event.type === "message.part.updated") return leftOut(event.properties, sessionID)
  if (event.type !== "session.status") return undefined
  const found = event.properties as { sessionID: string; status: { type: string; message?: string; next?: number } }
  if (found.sessionID !== sessionID || found.status.type !== "retry") return undefined
  const { message, next = 0 } = found.status
  if (message?.startsWith(WAIT)) return message
  if (!message?.startsWith(SWITCH)) return undefined
  const seconds = Math.ceil((next - Date.now()) / 1000)
  return seconds > 0 ? `${message} (in ${seconds} s)` : message
}

/** A failover is a status of the session. That the session starts without a member is only in its transcript. */
function leftOut(properties: unknown, sessionID: string) {
  const { part } = properties as { readonly part: { readonly type: string; readonly sessionID: string } }
  const found = part.sessionID === sessionID ? CombinedHappening.of(part) : undefined
  return found?.action === "left out" ? found.message : undefined
}

/**
 * Whether to print the serving model: once, until it changes. This is noted in upstream's map of what it has printed.
 */
export function changed(printed: Map<string, boolean>, serving: Name) {
  const key = PREFIX + CombinedMember.key(serving)
  if (printed.has(key)) return false
  for (const other of [...printed.keys()].filter((item) => item.startsWith(PREFIX))) printed.delete(other)
  printed.set(key, true)
  return true
}

export * as CombinedNotice from "./notice"
