/** Offers of the user's providers that are not combined. Pure. */
import { DEFAULT_VARIANTS, group, permitted, resolve, type Offer, type Options } from "../identity/grouping"
import { CombinedMember, type Member } from "../member"

/** Free offers that are not members, although paid offers of the same model are combined. */
export function leftOut(offers: readonly Offer[], options: Options, groups: readonly { members: readonly Member[] }[]) {
  const asked = new Set(groups.flatMap((item) => item.members.map(CombinedMember.key)))
  return group(offers, { ...options, variants: [...DEFAULT_VARIANTS, "free"] })
    .filter((item) => item.members.some((member) => !member.variant.free))
    .flatMap((item) => item.members.filter((member) => member.variant.free))
    .map(CombinedMember.key)
    .filter((key) => !asked.has(key))
}

/** Providers of which no offer promises what the user requires. */
export function unpromised(offers: readonly Offer[], { require }: Options) {
  if (!require?.no_training && !require?.region) return []
  const identities = resolve(offers)
  const kept = new Set(
    offers.flatMap((offer, index) => (permitted(offer, identities[index].variant, require) ? [offer.providerID] : [])),
  )
  return [...new Set(offers.map((offer) => offer.providerID))].filter((id) => !kept.has(id))
}

export * as CombinedOmitted from "./omitted"
