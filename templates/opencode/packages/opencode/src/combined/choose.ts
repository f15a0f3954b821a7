/** Which member of a group serves the next request. Pure. */
import type { Kind } from "./failure"
import type { Cooldown, State } from "./health"
import { CombinedHealth } from "./health"

export type Member = {
  readonly providerID: string
  readonly modelID: string
  /** On which terms the provider offers the model; members that differ in nothing else are one offer under two names. */
  readonly variant?: unknown
}

export function same(one: Member, other: Member) {
  return one.providerID === other.providerID && one.modelID === other.modelID
}

export type Out<M extends Member> = { readonly member: M; readonly cooldown: Cooldown }

export type Choice<M extends Member> =
  | { readonly type: "serve"; readonly member: M }
  | { readonly type: "wait"; readonly out: readonly [Out<M>, ...Out<M>[]] }

/** What the order of a group does not say. */
export type View = {
  readonly state: State
  readonly now: number
  /** Another request is finding out whether the member is well again. */
  readonly probed?: (member: Member) => boolean
  /** Asked only when all others are out. */
  readonly lastResort?: (member: Member) => boolean
  /** The member holds a prompt cache of this session. */
  readonly warm?: (member: Member) => boolean
}

/**
 * Members that are not cooling, the one to ask in front. A last resort stands behind all others, a member that is being
 * probed behind those that are well; among equals one with a warm cache is in front, and then the group's order decides.
 */
export function rank<M extends Member>(members: readonly M[], view: View): M[] {
  const weight = (member: M) =>
    (view.lastResort?.(member) ? 4 : 0) + (view.probed?.(member) ? 2 : 0) + (view.warm?.(member) ? 0 : 1)
  return members
    .filter((member) => !CombinedHealth.cooling(view.state, member.providerID, member.modelID, view.now))
    .map((member) => ({ member, weight: weight(member) }))
    .toSorted((a, b) => a.weight - b.weight)
    .map((item) => item.member)
}

/** The member to ask; when all are cooling, all of them, the one that returns first in front. A group has a member. */
export function choose<M extends Member>(members: readonly M[], view: View): Choice<M> {
  const [ready] = rank(members, view)
  if (ready) return { type: "serve", member: ready }
  const [first, ...others] = members
    .flatMap((member) => {
      const cooldown = CombinedHealth.cooling(view.state, member.providerID, member.modelID, view.now)
      return cooldown ? [{ member, cooldown }] : []
    })
    .toSorted((a, b) => a.cooldown.until - b.cooldown.until)
  return { type: "wait", out: [first, ...others] }
}

/**
 * The members that a failure of one of them says something about: a provider counts its limits for a model under all of
 * its names, but for each region and for free use apart. A name that is gone says nothing about the others.
 */
export function alike<M extends Member>(member: M, members: readonly M[], kind: Kind) {
  if (kind === "missing") return [member]
  const terms = JSON.stringify(member.variant)
  return members.filter((item) => item.providerID === member.providerID && JSON.stringify(item.variant) === terms)
}

export * as CombinedChoose from "./choose"
