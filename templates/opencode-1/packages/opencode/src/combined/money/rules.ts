/** What members cost, and which of them may not be asked because of that. */
import { CombinedFurtherAccounts } from "../further-accounts"
import { CombinedMember } from "../member"
import type { CombinedMistakes } from "../mistakes"
import { CombinedAdmit, type Why } from "../money/admit"
import { CombinedPrice, type Price, type PriceClass } from "../money/price"
import { CombinedWords, type Bar } from "../money/words"
import { CombinedCredentials } from "../provider/credentials"
import type { Chain, Info, Known, ModelID, ProviderID, Providers } from "../provider/listing"
import { CombinedSettings } from "../settings"

/** What the rules say about a member of a chain. */
export type Terms = {
  readonly settings: CombinedSettings.Money
  readonly priceClass: PriceClass
  /** Undefined if unknown. */
  readonly price: Price | undefined
  /** Whether the user has chosen this very model; it may still have a fallback. */
  readonly chosen: boolean
  /** The members of the chain that bill each request (`metered`), and those that belong to a plan (`plans`). */
  readonly metered: readonly CombinedMember.Member[]
  readonly plans: readonly CombinedMember.Member[]
  /** The members of the chain that may not be asked, whatever the request. */
  readonly bars: readonly Bar[]
}

export type Rules = ReturnType<typeof of>

export function of(providers: Providers, config: Info, known: Known) {
  const settings = CombinedSettings.money(config)

  const priceOf = ({ providerID, modelID }: CombinedMember.Name): Price | undefined => {
    const cost = providers[providerID as ProviderID]?.models[modelID as ModelID]?.cost
    if (!cost) return undefined
    const own = config.provider?.[providerID]?.models?.[modelID]
    const listed = known[sourceOf(providerID)]?.models
    // Upstream shows an unknown price as zero.
    const isKnown = [own, listed?.[modelID], own?.id === undefined ? undefined : listed?.[own.id]].some(
      (model) => model?.cost !== undefined,
    )
    return isKnown || cost.input > 0 || cost.output > 0 ? cost : undefined
  }

  const sourceOf = (providerID: string) => CombinedFurtherAccounts.sourceOf(config, providerID)

  const classOf = (member: CombinedMember.Name) => {
    const provider = providers[member.providerID as ProviderID]
    const { baseURL } = provider?.options ?? {}
    return CombinedPrice.classOf({
      member,
      provider: sourceOf(member.providerID),
      login: CombinedCredentials.isLogin(member.providerID),
      price: priceOf(member),
      local: CombinedPrice.isLocal(
        typeof baseURL === "string" ? baseURL : provider?.models[member.modelID as ModelID]?.api.url,
      ),
      own: settings.classOf(member),
    })
  }

  const why = (member: CombinedMember.Name, chosen: boolean): Why | undefined =>
    settings.metered === "allow" && !settings.budget
      ? undefined
      : CombinedAdmit.barred({
          priceClass: classOf(member),
          metered: settings.metered,
          chosen,
          budget: settings.budget !== undefined,
          priced: priceOf(member) !== undefined,
        })

  /** The members of a chain by price class. Finding the class of each one asks the file system for the login. */
  const sorted = (chain: Chain): Pick<Terms, "metered" | "plans"> => {
    const all = chain.members.map((member) => ({ member, priceClass: classOf(member) }))
    const of = (wanted: PriceClass) => all.flatMap((one) => (one.priceClass === wanted ? [one.member] : []))
    return { metered: of("metered").filter((member) => !isChosen(chain, member)), plans: of("plan") }
  }

  return {
    classOf,
    /** Whether a member of the chain may not be asked, whatever the request. */
    barred: (chain: Chain) => (member: CombinedMember.Member) => why(member, isChosen(chain, member)) !== undefined,
    /** Whether a member that the user has not chosen directly is never asked because it bills each request. */
    isNever: (member: CombinedMember.Name) => why(member, false) === "never",
    /** Chosen models that no provider may answer, and providers that a budget leaves out. */
    mistakes: (
      chosen: readonly { readonly path: readonly string[]; readonly value: string; readonly modelID: string }[],
      find: (modelID: string) => Chain | undefined,
    ): CombinedMistakes.Mistake[] =>
      chosen.flatMap(({ path, value, modelID }) => {
        const members = find(modelID)?.members ?? []
        const whys = members.map((member) => ({ member, why: why(member, false) }))
        const where = path.join(".")
        if (members.length && whys.every((one) => one.why === "never"))
          return [
            {
              path,
              value,
              text: `${where}: no provider of ${value} may be asked: combined.metered is "never", and all of them bill each request.`,
            },
          ]
        const unpriced = whys.filter((one) => one.why === "unpriced").map((one) => CombinedMember.key(one.member))
        if (!unpriced.length) return []
        const text = `${where}: of ${value}, ${unpriced.join(", ")} is not asked: its price is unknown, so combined.budget cannot hold it to anything.`
        return [{ path, value, text }]
      }),
    termsOf: (chain: Chain, member: CombinedMember.Member): Terms => ({
      settings,
      priceClass: classOf(member),
      price: priceOf(member),
      chosen: isChosen(chain, member),
      ...sorted(chain),
      bars: chain.members.flatMap((one) => {
        const found = why(one, isChosen(chain, one))
        return found ? [CombinedWords.bar(one, found)] : []
      }),
    }),
  }
}

/**
 * A model that the user has chosen directly is the first one of its chain, which has the model's name
 * (provider/listing.ts).
 */
const isChosen = (chain: Chain, member: CombinedMember.Member) =>
  chain.chosen === true && chain.members.indexOf(member) === 0

export * as CombinedRules from "./rules"
