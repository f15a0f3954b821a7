/**
 * The members of all groups as this process knows them: their health, and which are being probed.
 *
 * Shared by all directories that the process serves: a provider's limits are the user's, not a project's.
 */
import { CombinedRank } from "../choice/rank"
import type { Failure } from "../failure/classify"
import { CombinedCooldown } from "../health/cooldown"
import { CombinedHealthStore } from "../health/store"
import { CombinedHealthFile } from "./health-file"
import { CombinedProbes } from "../health/probes"
import type { CombinedSettings } from "../settings"
import type { CombinedMember } from "../member"

type Member = CombinedMember.Member

type Wish = CombinedRank.Wish & { readonly owner?: object }

const store = CombinedHealthStore.open(CombinedHealthFile.shelf(CombinedHealthFile.FILE), (state) =>
  CombinedCooldown.current(state, Date.now(), () => undefined),
)

const probes = CombinedProbes.make()

export type Pool = ReturnType<typeof look>

/**
 * @param input.credentials a fingerprint of a provider's credentials; if undefined (unknown), a change of them does not
 *   end a cooldown
 */
export function look(input: {
  readonly settings: CombinedSettings.Failover
  readonly credentials: (providerID: string, kind: Failure["kind"]) => string | undefined
}) {
  const { credentials } = input
  const live = (now: number) => CombinedCooldown.current(store.read(), now, credentials)
  const keys = (member: Member, now: number, state = live(now)) =>
    CombinedCooldown.unproven(state, member.providerID, member.modelID, now)

  const view = ({ owner, ...wish }: Wish): CombinedRank.View => {
    const now = Date.now()
    const state = live(now)
    return {
      ...wish,
      state,
      now,
      probed: (member) => probes.taken(keys(member, now, state), owner, now),
      lastResort: input.settings.lastResort,
    }
  }

  const choose = <M extends Member>(members: readonly M[], wish: Wish = {}) => CombinedRank.choose(members, view(wish))

  return {
    settings: input.settings,
    choose,
    rank: <M extends Member>(members: readonly M[], wish: Wish = {}) => CombinedRank.rank(members, view(wish)),
    /** The member to ask now; if all are unavailable, the one that returns first. */
    first: <M extends Member>(members: readonly M[]) => {
      const choice = choose(members)
      return choice.type === "serve" ? choice.member : choice.out[0].member
    },
    /** Starts a cooldown for a request that started then; if it cannot be shared with other processes, returns why. */
    fail: (member: Member, failure: Failure, began: number) => {
      store.update((state) =>
        CombinedCooldown.fail(
          CombinedCooldown.current(state, Date.now(), credentials),
          member.providerID,
          member.modelID,
          failure,
          Date.now(),
          { bounds: input.settings.cooldown, credentials: credentials(member.providerID, failure.kind), began },
        ),
      )
      return store.problem()
    },
    succeed: (member: Member, began: number) =>
      void store.update((state) => CombinedCooldown.succeed(state, member.providerID, member.modelID, began)),
    cooling: (member: Member) => {
      const now = Date.now()
      return CombinedCooldown.cooling(live(now), member.providerID, member.modelID, now)
    },
    unproven: (member: Member) => keys(member, Date.now()).length > 0,
    claim: (member: Member, owner: object) => {
      const now = Date.now()
      return probes.claim(keys(member, now), owner, now)
    },
  }
}

/** Any answer of a provider, even for a model that is not combined, ends its cooldown. */
export function well(member: CombinedMember.Name, began: number) {
  store.update((state) => CombinedCooldown.succeed(state, member.providerID, member.modelID, began))
}

export function release(owner: object) {
  probes.release(owner)
}

export * as CombinedPool from "./pool"
