/** Which member of a group serves the next request. Pure. */
import type { Cooldown, State } from "../health/cooldown"
import { CombinedCooldown } from "../health/cooldown"
import type { Window } from "../health/window"
import { CombinedMember, type Member } from "../member"

export type Out<M extends Member> = { readonly member: M; readonly cooldown: Cooldown }

export type Spared<M extends Member> = { readonly member: M; readonly window: Window }

export type Choice<M extends Member> =
  | {
      readonly type: "serve"
      readonly member: M
      /** The member can take the request. If no member can, this is the first available one. */
      readonly fits: boolean
      /** The member that would serve if its window were not nearly used up. */
      readonly spared?: Spared<M>
    }
  /** The members that may come back, the one to wait for first; empty if each has failed too often. */
  | { readonly type: "wait"; readonly out: readonly Out<M>[] }

/** What one request requires of the members. */
export type Wish = {
  /** The member holds a prompt cache of this session. */
  readonly warm?: (member: Member) => boolean
  /** The member can take the request: it has room for it and can read its images. */
  readonly fits?: (member: Member) => boolean
  /** How often the member was abandoned since the last answer, and whether it may still be asked. */
  readonly left?: (member: Member) => number
  readonly open?: (member: Member) => boolean
  /** Whether the member may not be asked, because of what it costs. */
  readonly barred?: (member: Member) => boolean
  /** The kinds of the member's failures since the last answer. */
  readonly failed?: (member: Member) => readonly string[]
  /** How many milliseconds to wait for a member that fits. */
  readonly patience?: number
}

/** The request's wishes, and facts that may change the order of the group. */
export type View = Wish & {
  readonly state: State
  readonly now: number
  /** Another request is probing whether the member has recovered. */
  readonly probed?: (member: Member) => boolean
  /** Asked only when all others are unavailable. */
  readonly lastResort?: (member: Member) => boolean
  /** The window of the member's plan that is nearly used up. Such a member is only asked if there is no other one. */
  readonly nearlyUsed?: (member: Member) => Window | undefined
  /** When the member's window ends. Of otherwise equal members, the one whose window ends first is asked first. */
  readonly ends?: (member: Member) => number | undefined
}

/** Later than any time, and still a number, so that comparing two of them gives 0. */
const NEVER = Number.MAX_SAFE_INTEGER

/**
 * The members that are not cooling down, in the order in which to ask them. First come members without any of the
 * following; then those whose plan is nearly used up; then those that are being probed; then those that have failed for
 * this answer; at the very end the last resorts.
 *
 * Otherwise the group's order decides. Only among members of one model, one with a warm cache comes first, or else (if
 * that is set) the one whose window ends first.
 */
export function rank<M extends Member>(members: readonly M[], view: View): M[] {
  const weight = (member: M) =>
    (view.lastResort?.(member) ? 8 : 0) +
    (view.left?.(member) ? 4 : 0) +
    (view.probed?.(member) ? 2 : 0) +
    (view.nearlyUsed?.(member) ? 1 : 0)
  const ranked = open(members, view)
    .filter((member) => !CombinedCooldown.cooling(view.state, member.providerID, member.modelID, view.now))
    .map((member) => ({ member, weight: weight(member), ends: view.ends?.(member) ?? NEVER }))
    .toSorted((a, b) => a.weight - b.weight)
  const found: M[] = []
  while (ranked.length > 0) {
    const [first] = ranked
    const equals = ranked.filter(
      ({ member, weight }) => weight === first.weight && CombinedMember.isSameModel(member, first.member),
    )
    const warm = equals.find(({ member }) => view.warm?.(member))
    const next = warm ?? equals.toSorted((one, other) => one.ends - other.ends)[0]
    ranked.splice(ranked.indexOf(next), 1)
    found.push(next.member)
  }
  return found
}

/**
 * The member to ask: the first one that can take the request. If only members that cannot take it are available, but
 * one that can is back within `patience`, that one is waited for. If no member can answer now: all that are cooling
 * down, the one that is back first in front.
 */
export function choose<M extends Member>(members: readonly M[], view: View): Choice<M> {
  const fits = (member: M) => view.fits?.(member) ?? true
  const ready = rank(members, view)
  const fitting = ready.find(fits)
  if (fitting) {
    const spared = passedOver(members, view, fitting)
    return { type: "serve", member: fitting, fits: true, ...(spared && { spared }) }
  }
  const out = cooling(open(members, view), view)
  const soon = ({ member, cooldown }: Out<M>) => fits(member) && cooldown.until - view.now <= (view.patience ?? 0)
  if (out.some(soon)) return { type: "wait", out: out.toSorted((a, b) => Number(soon(b)) - Number(soon(a))) }
  if (ready.length) return { type: "serve", member: ready[0], fits: false }
  return { type: "wait", out }
}

function passedOver<M extends Member>(members: readonly M[], view: View, chosen: M): Spared<M> | undefined {
  if (!view.nearlyUsed) return undefined
  const first = rank(members, { ...view, nearlyUsed: undefined }).find((member) => view.fits?.(member) ?? true)
  const window = first && first !== chosen ? view.nearlyUsed(first) : undefined
  return first && window && { member: first, window }
}

/** The members that are cooling down, the one that is back first in front. */
function cooling<M extends Member>(members: readonly M[], view: View): Out<M>[] {
  return members
    .flatMap((member) => {
      const cooldown = CombinedCooldown.cooling(view.state, member.providerID, member.modelID, view.now)
      return cooldown ? [{ member, cooldown }] : []
    })
    .toSorted((a, b) => a.cooldown.until - b.cooldown.until)
}

const open = <M extends Member>(members: readonly M[], view: View) =>
  members.filter(
    (member, index) =>
      (view.open?.(member) ?? true) && !view.barred?.(member) && applies(member, members.slice(0, index), view),
  )

/** Whether a member before this one has failed in a way for which the user wants this one to be asked. */
function applies(member: Member, before: readonly Member[], view: View) {
  const when = member.how?.when
  if (!when) return true
  return before.some((other) =>
    [
      CombinedCooldown.cooling(view.state, other.providerID, other.modelID, view.now)?.kind,
      ...(view.failed?.(other) ?? []),
      ...(view.fits?.(other) === false ? ["too_long"] : []),
    ].some((kind) => kind !== undefined && when.includes(kind)),
  )
}

export * as CombinedRank from "./rank"
