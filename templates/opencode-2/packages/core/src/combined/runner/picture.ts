/** What is known about the members of all combined models. */
import { Effect } from "effect"
import type { SessionMessage } from "../../session/message"
import type { Steer } from "../choice/steer"
import { CombinedWarm } from "../choice/warm"
import { CombinedPool } from "../host/pool"
import { CombinedMember } from "../member"
import { CombinedSettings } from "../settings"
import { CombinedPicture } from "../view/picture"
import { CombinedRunnerCatalogue, type Found } from "./catalogue"
import type { CombinedRunnerListing } from "./listing"
import type { Catalog } from "./upstream/catalog"
import { CombinedRunnerWarm } from "./warm"

/** What is only known in the session. */
type InSession = {
  readonly steer: Steer
  readonly messages: readonly SessionMessage.Info[]
  /** Members that are being asked right now. */
  readonly asked: readonly string[]
}

export const NO_SESSION: InSession = { steer: {}, messages: [], asked: [] }

export const make = Effect.fn("CombinedRunnerPicture.make")(function* (catalog: Catalog, session: InSession) {
  return yield* of(catalog, yield* CombinedRunnerCatalogue.groups(catalog), session)
})

/** What is known about the members of some combined models. */
export const of = Effect.fn("CombinedRunnerPicture.of")(function* (
  catalog: Catalog,
  groups: readonly Found[],
  { messages, ...session }: InSession,
) {
  const settings = CombinedSettings.failover(yield* CombinedRunnerCatalogue.settings(catalog))
  const pool = CombinedPool.look({ settings, credentials: () => undefined })
  const answers = messages.flatMap((message) => (message.type === "assistant" ? [message] : []))
  const providers = new Map(
    groups.flatMap(({ members, nameOf }) => members.map(({ providerID }) => [providerID, nameOf(providerID)] as const)),
  )
  const models = new Map(
    groups.flatMap((group) => group.members.map((item) => [CombinedMember.key(item), item] as const)),
  )
  const known = (member: CombinedMember.Name): CombinedRunnerListing.Member | undefined =>
    models.get(CombinedMember.key(member))
  const barred = (member: CombinedMember.Name) => known(member)?.terms?.bar !== undefined
  return CombinedPicture.picture(groups, {
    ...session,
    ...pool.facts(),
    answers: answers.map(({ model, cost }) => ({ member: CombinedRunnerWarm.keyOf(model), cost: cost ?? 0 })),
    warm: CombinedWarm.warm(CombinedRunnerWarm.answers(messages), Date.now(), settings.stickiness),
    price: (member) => known(member)?.terms?.priceClass ?? "metered",
    providerName: (id) => providers.get(id) ?? id,
    modelName: (member) => known(member)?.model.name ?? member.modelID,
    next: (members) => {
      const choice = pool.choose(members, { barred })
      return choice.type === "serve" ? choice.member : undefined
    },
  })
})

export * as CombinedRunnerPicture from "./picture"
