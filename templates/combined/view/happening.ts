/**
 * What happened to the members of a session: a line in its transcript, which the model does not see. Pure.
 *
 * It is stored as upstream's `retry` part, which is never sent to a model. The details are in the metadata of its
 * error.
 */
import { CombinedMember, type Name } from "../member"
import { CombinedText } from "../text"
import { CombinedClock } from "./clock"

/**
 * `moved`: the next member takes over. `repeated`: the same one is asked again. `left out`: the session starts without
 * it.
 */
export const ACTIONS = ["moved", "repeated", "left out"] as const

export type Action = (typeof ACTIONS)[number]

export type Happening = {
  readonly action: Action
  /** The part of the combined model's id after `combined/`. */
  readonly combined: string
  /** Members, as `provider/model`. */
  readonly from: string
  readonly to: string
  readonly reason: string
  /** One line to show. */
  readonly message: string
  readonly at: number
}

type Subject = { readonly combined: string; readonly nameOf: (providerID: string) => string; readonly now: number }

export function moved(
  { combined, nameOf, now }: Subject,
  from: Name,
  to: Name,
  reason: string,
  differences: Differences = {},
): Happening {
  const next = takesOver(nameOf(to.providerID), differences)
  return happening("moved", combined, from, to, reason, `${nameOf(from.providerID)} (${reason}), ${next}`, now)
}

/** The variant that the next member lacks, and the name of its model if it is a different one. */
export type Differences = { readonly variant?: string; readonly model?: string }

export function takesOver(next: string, { variant, model }: Differences) {
  const without = variant === undefined ? "" : ` without the variant ${variant}`
  return `${next} takes over${differing(model)}${without}`
}

const differing = (model: string | undefined) => (model === undefined ? "" : ` with a different model, ${model}`)

export function repeated({ combined, nameOf, now }: Subject, member: Name, reason: string): Happening {
  const message = `${nameOf(member.providerID)} (${reason}), retrying`
  return happening("repeated", combined, member, member, reason, message, now)
}

/** The session starts with another member, because this one is cooling down. */
export function leftOut(
  { combined, nameOf, now }: Subject,
  from: Name,
  to: Name,
  cooldown: { readonly kind: string; readonly until: number },
  model?: string,
): Happening {
  const reason = cooldown.kind.replaceAll("_", " ")
  const until = `unavailable until ${CombinedClock.clock(cooldown.until, now)} (${reason})`
  const message = `${nameOf(from.providerID)} ${until}, using ${nameOf(to.providerID)}${differing(model)}`
  return happening("left out", combined, from, to, reason, message, now)
}

const happening = (
  action: Action,
  combined: string,
  from: Name,
  to: Name,
  reason: string,
  message: string,
  at: number,
): Happening => ({
  action,
  combined,
  from: CombinedMember.key(from),
  to: CombinedMember.key(to),
  reason: CombinedText.shown(reason),
  message: CombinedText.shown(message),
  at,
})

/** The error to store in the part. Its metadata can only be texts. */
export function error({ message, at, ...more }: Happening) {
  return { name: "APIError" as const, data: { message, isRetryable: true, metadata: { ...more, at: String(at) } } }
}

/** Reads a part; undefined if it is not one of ours. */
export function of(part: { readonly type: string; readonly error?: unknown }): Happening | undefined {
  if (part.type !== "retry") return undefined
  const { data } = (part.error ?? {}) as {
    readonly data?: { readonly message?: string; readonly metadata?: Readonly<Record<string, string>> }
  }
  const { action, combined, from, to, reason, at } = data?.metadata ?? {}
  const known = ACTIONS.find((item) => item === action)
  if (!known || data?.message === undefined || combined === undefined) return undefined
  return { action: known, combined, from, to, reason, message: data.message, at: Number(at) }
}

/** The line as the transcript shows it. */
export function line({ at, message }: Happening, now: number) {
  return `${CombinedClock.clock(at, now)} ${message}`
}

export * as CombinedHappening from "./happening"
