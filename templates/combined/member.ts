/** One provider's offer of a model. Pure. */
import type { Failure } from "./failure/classify"

export type Member = {
  readonly providerID: string
  readonly modelID: string
  /** On which terms the provider offers the model; members that differ in nothing else are one offer under two names. */
  readonly variant?: unknown
}

export type Name = Pick<Member, "providerID" | "modelID">

/** The name under which what is known of a member is kept. */
export function key({ providerID, modelID }: Name) {
  return `${providerID}/${modelID}`
}

/** Key of a whole provider. Model ids are never empty, so it cannot be a member's. */
export function providerKey(providerID: string) {
  return `${providerID}/`
}

/** The provider that a key belongs to. Provider ids hold no slash; model ids may. */
export function providerOf(key: string) {
  return key.slice(0, key.indexOf("/"))
}

export function same(one: Name, other: Name) {
  return one.providerID === other.providerID && one.modelID === other.modelID
}

/**
 * The members that a failure of one of them says something about: a provider counts its limits for a model under all of
 * its names, but for each region and for free use apart. A name that is gone says nothing about the others, and a failure of
 * the whole provider is known under one key, so that it is one failure.
 */
export function alike<M extends Member>(member: M, members: readonly M[], failure: Pick<Failure, "kind" | "scope">) {
  if (failure.scope === "provider" || failure.kind === "missing") return [member]
  const terms = JSON.stringify(member.variant)
  return members.filter((item) => item.providerID === member.providerID && JSON.stringify(item.variant) === terms)
}

export * as CombinedMember from "./member"
