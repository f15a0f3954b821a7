/** One provider's offer of a model. Pure. */
import type { Failure } from "./failure/classify"
import type { How } from "./identity/chain"

export type Member = {
  readonly providerID: string
  readonly modelID: string
  /** The key of the model. In a chain of the user's, members may be different models. */
  readonly identity?: string
  /**
   * The terms on which the provider offers the model; members that are otherwise equal are one offer under two names.
   */
  readonly variant?: unknown
  /** How the user wants the member to be asked. */
  readonly how?: How
}

export type Name = Pick<Member, "providerID" | "modelID" | "identity">

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

/** The member, or the whole provider (without a model), that a key belongs to. */
export function named(key: string): Name {
  const providerID = providerOf(key)
  return { providerID, modelID: key.slice(providerID.length + 1) }
}

export function same(one: Name, other: Name) {
  return one.providerID === other.providerID && one.modelID === other.modelID
}

/** Whether two members are the same model. If either's identity is unknown, they count as the same. */
export function isSameModel(one: Name, other: Name) {
  return one.identity === other.identity
}

/**
 * The members that a failure of one of them affects. A provider counts its limits for a model under all names of it,
 * but separately for each region and for free use. A missing name does not affect the others. A failure of the whole
 * provider has one key, so it only counts once.
 */
export function alike<M extends Member>(member: M, members: readonly M[], failure: Pick<Failure, "kind" | "scope">) {
  if (failure.scope === "provider" || failure.kind === "missing") return [member]
  const terms = JSON.stringify(member.variant)
  return members.filter(
    (item) =>
      item.providerID === member.providerID && isSameModel(item, member) && JSON.stringify(item.variant) === terms,
  )
}

export * as CombinedMember from "./member"
