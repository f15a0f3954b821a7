/**
 * Which members the user wants asked: for one session, and on this machine. Pure.
 *
 * A session's wishes are stored with the session, and end with it. Those for the machine are written by
 * `opencode-patcher health pin` and `skip` into the file that stores the health.
 */
import { CombinedMember, type Member, type Name } from "../member"
import { isObject } from "../value"

/** What the user wants in one session. A member is named as `provider/model`, or as `provider` for all of its models. */
export type Steer = {
  /** Only this one is asked, even if it fails. */
  readonly pin?: string
  /** These are not asked. */
  readonly skip?: readonly string[]
  /** Only the first member is asked: there is no failover. */
  readonly off?: boolean
}

/** What the user wants in all sessions on this machine: pinned members, by combined model, and members not to ask. */
export type Machine = { readonly pins: Readonly<Record<string, string>>; readonly skips: readonly string[] }

export const NOTHING: Machine = { pins: {}, skips: [] }

const MOST = 200

export function names(name: string, member: Name) {
  return name === member.providerID || name === CombinedMember.key(member)
}

/** Why a member is not asked. */
export type Reason = "pinned elsewhere" | "skipped" | "off"

/**
 * The members of a combined model that may be asked, in their order; none if all are skipped. Wishes for the session
 * outrank wishes for the machine, and a pin outranks a skip.
 */
export function among<M extends Member>(
  id: string,
  members: readonly M[],
  machine: Machine = NOTHING,
  steer: Steer = {},
): readonly M[] {
  const allowed = pinned(id, members, machine, steer) ?? members.filter((member) => !isSkipped(member, machine, steer))
  return steer.off ? allowed.slice(0, 1) : allowed
}

/** The name that is pinned on this machine for a combined model. */
export const pinOf = ({ pins }: Machine, id: string) => (Object.hasOwn(pins, id) ? pins[id] : undefined)

/** The pinned members; undefined if no member is pinned. */
function pinned<M extends Member>(id: string, members: readonly M[], machine: Machine, steer: Steer) {
  const own = members.filter((member) => steer.pin !== undefined && names(steer.pin, member))
  if (own.length) return own
  const pin = pinOf(machine, id)
  const all = members.filter(
    (member) => pin !== undefined && names(pin, member) && !steer.skip?.some((name) => names(name, member)),
  )
  return all.length ? all : undefined
}

const isSkipped = (member: Member, machine: Machine, steer: Steer) =>
  [...(steer.skip ?? []), ...machine.skips].some((name) => names(name, member))

/** Why this member is not asked; undefined if it may be. */
export function reason(
  id: string,
  members: readonly Member[],
  member: Member,
  machine: Machine = NOTHING,
  steer: Steer = {},
): Reason | undefined {
  if (among(id, members, machine, steer).includes(member)) return undefined
  if (isSkipped(member, machine, steer)) return "skipped"
  return pinned(id, members, machine, steer) ? "pinned elsewhere" : "off"
}

/** From now on only this member is asked; with undefined, the pin ends. */
export function pin(steer: Steer, member: string | undefined): Steer {
  const { pin: _, ...rest } = steer
  if (member === undefined) return rest
  return { ...rest, pin: member, skip: (steer.skip ?? []).filter((name) => name !== member) }
}

/** The member is not asked any more; or, without `skipped`, may be asked again. */
export function skip(steer: Steer, member: string, skipped: boolean): Steer {
  const others = (steer.skip ?? []).filter((name) => name !== member)
  if (!skipped) return { ...steer, skip: others }
  const { pin: before, ...rest } = steer
  return { ...rest, ...(before !== undefined && before !== member && { pin: before }), skip: [...others, member] }
}

/** The options of `run` that steer its session, with their descriptions. */
export const OPTIONS = {
  pin: "ask only this member of the combined model: provider/model, or a provider",
  skip: "do not ask this member of the combined model",
  failover: "with --no-failover, only the first member of the combined model is asked",
} as const

type Given = { readonly pin?: unknown; readonly skip?: unknown; readonly failover?: unknown }

/** What to send to the routes below `/combined/session/ID`. */
export type Wish = { readonly what: "pin" | "skip" | "off"; readonly body: Readonly<Record<string, unknown>> }

/** The wishes that these options express. */
export function wishes({ pin, skip, failover }: Given): readonly Wish[] {
  return [
    ...(typeof pin === "string" ? [{ what: "pin", body: { member: pin } } as const] : []),
    ...(Array.isArray(skip) ? skip.map((member) => ({ what: "skip", body: { member } }) as const) : []),
    ...(typeof failover === "boolean" ? [{ what: "off", body: { off: !failover } } as const] : []),
  ]
}

/** The wishes in their shortest form; undefined if there are none. */
export function stored({ pin, skip = [], off }: Steer): Steer | undefined {
  if (pin === undefined && !skip.length && !off) return undefined
  return { ...(pin !== undefined && { pin }), ...(skip.length && { skip }), ...(off && { off }) }
}

/** Reads what `stored` returned. */
export function parse(value: unknown): Steer {
  if (!isObject(value)) return {}
  return {
    ...(typeof value.pin === "string" && { pin: value.pin }),
    ...(Array.isArray(value.skip) && { skip: list(value.skip) }),
    ...(value.off === true && { off: true }),
  }
}

/** Reads the JSON of the health file. Whatever is not as expected is left out. */
export function machine(value: unknown): Machine {
  const found = isObject(value) && isObject(value.steer) ? value.steer : {}
  const pins = isObject(found.pins) ? Object.entries(found.pins) : []
  return {
    pins: Object.fromEntries(
      pins.flatMap(([id, name]) => (typeof name === "string" ? [[id, name] as const] : [])).slice(0, MOST),
    ),
    skips: Array.isArray(found.skips) ? list(found.skips) : [],
  }
}

const list = (value: readonly unknown[]) => value.filter((item) => typeof item === "string").slice(0, MOST)

/** The part of the health file that `machine` reads. */
export function plain(machine: Machine) {
  return machine.skips.length || Object.keys(machine.pins).length ? { steer: machine } : {}
}

export * as CombinedSteer from "./steer"
