/** Which member of a group serves the next request. Pure. */
import type { Kind } from "./failure"
import type { Cooldown, State } from "./health"
import { CombinedHealth } from "./health"
import type { Variant } from "./identity"

export type Member = {
  readonly providerID: string
  readonly modelID: string
  /** On which terms the provider offers the model; members that differ in nothing else are one offer under two names. */
  readonly variant?: Variant
}

export type Out<M extends Member> = { readonly member: M; readonly cooldown: Cooldown }

export type Choice<M extends Member> =
  | { readonly type: "serve"; readonly member: M }
  | { readonly type: "wait"; readonly out: readonly [Out<M>, ...Out<M>[]] }

/**
 * The first member, in the group's order, that is not cooling; when all are, all of them, the one that returns first
 * in front. A group has at least one member.
 */
export function choose<M extends Member>(members: readonly M[], state: State, now: number): Choice<M> {
  const seen = members.map((member) => ({
    member,
    cooldown: CombinedHealth.cooling(state, member.providerID, member.modelID, now),
  }))
  const ready = seen.find((item) => !item.cooldown)
  if (ready) return { type: "serve", member: ready.member }
  const [first, ...others] = seen
    .flatMap((item) => (item.cooldown ? [{ member: item.member, cooldown: item.cooldown }] : []))
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
