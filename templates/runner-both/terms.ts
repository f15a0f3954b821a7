/** What a member's requests cost, and whether it may not be asked because of that. Pure. */
import { CombinedAdmit } from "../money/admit"
import { CombinedPrice, type Price, type PriceClass } from "../money/price"
import { CombinedWords, type Bar } from "../money/words"
import type { CombinedSettings } from "../settings"
import type { CombinedMember } from "../member"
import type { ModelV2 } from "./upstream/models"

export type Terms = {
  readonly priceClass: PriceClass
  /** Undefined if unknown. */
  readonly price: Price | undefined
  /** The user has chosen this very model, not a combined one. */
  readonly chosen: boolean
  /** Set if the member may not be asked, whatever the request. */
  readonly bar: Bar | undefined
}

type Facts = {
  readonly money: CombinedSettings.Money
  readonly price: Price | undefined
  /** The provider's id in the catalogue; a further account has an id of its own. */
  readonly provider: string
  /** The address that its requests go to. */
  readonly address: string | undefined
  /** The user logged in to an account, instead of giving a key. */
  readonly login: boolean
  readonly chosen: boolean
}

export function of(member: CombinedMember.Member, { money, price, provider, address, login, chosen }: Facts): Terms {
  const priceClass = CombinedPrice.classOf({
    member,
    provider,
    login,
    price,
    local: CombinedPrice.isLocal(address),
    own: money.classOf(member),
  })
  const rules = { metered: money.metered, budget: money.budget !== undefined }
  const isOpen = rules.metered === "allow" && !rules.budget
  const why = isOpen ? undefined : CombinedAdmit.barred({ ...rules, priceClass, chosen, priced: price !== undefined })
  return { priceClass, price, chosen, bar: why && CombinedWords.bar(member, why) }
}

/** The prices of a model, in the form used for comparison. */
export function priceOf({ cost }: ModelV2.Info): Price | undefined {
  const base = cost.find((rates) => rates.tier === undefined)
  const tiers = cost.flatMap(({ tier, ...rates }) => (tier ? [{ ...rates, tier }] : []))
  return base && { ...base, tiers }
}

export * as CombinedRunnerTerms from "./terms"
