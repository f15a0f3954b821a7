/** One provider's offer of a model. Pure. */
import type { Failure } from "./failure/classify"

export type Member = {
  readonly providerID: string
  readonly modelID: string
  /**
   * The terms on which the provider offers the model; members that are otherwise equal are one offer under two names.
   */
  readonly variant?: unknown
}

export type Name = Pick<Member, "providerID" | "modelID">

/** The key for everything known about a member. */
export function key({ providerID, modelID }: Name) {
  return `${providerID}/${modelID}`
}

/** The key of a whole provider. Model ids are never empty, so it cannot be a member's. */
export function providerKey(providerID: string) {
  return `${providerID}/`
}

/** The provider that a key belongs to. Provider ids have no slash; model ids may. */
export function providerOf(key: string) {
  return key.slice(0, key.indexOf("/"))
}

export function same(one: Name, other: Name) {
  return one.providerID === other.providerID && one.modelID === other.modelID
}

/**
 * The members that a failure of one of them affects: a provider counts its limits for a model under all of its names,
 * but separately for each region and for free use. A missing name does not affect the others, and a failure of the
 * whole provider has one key, so that it is one failure.
 */
export function alike<M extends Member>(member: M, members: readonly M[], failure: Pick<Failure, "kind" | "scope">) {
  if (failure.scope === "provider" || failure.kind === "missing") return [member]
  const terms = JSON.stringify(member.variant)
  return members.filter((item) => item.providerID === member.providerID && JSON.stringify(item.variant) === terms)
}

export * as CombinedMember from "./member"
