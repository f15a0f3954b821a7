/**
 * The members of all groups as this process knows them: their health, and which of them are being probed.
 *
 * Shared by all directories that the process serves, because a provider's limits are the user's, not a project's.
 */
import { CombinedRank } from "../choice/rank"
import type { Failure } from "../failure/classify"
import { CombinedAccounts } from "../health/accounts"
import { CombinedCooldown } from "../health/cooldown"
import { CombinedHealthStore } from "../health/store"
import { CombinedHealthFile } from "./health-file"
import { CombinedProbes } from "../health/probes"
import type { Window } from "../health/window"
import type { CombinedSettings } from "../settings"
import { CombinedMember } from "../member"
import { CombinedSteer, type Steer } from "../choice/steer"

type Member = CombinedMember.Member

type Wish = CombinedRank.Wish & { readonly owner?: object }

const store = CombinedHealthStore.open(CombinedHealthFile.shelf(CombinedHealthFile.FILE), (state) =>
  CombinedCooldown.current(state, Date.now(), () => undefined),
)

const probes = CombinedProbes.make()

export type Pool = ReturnType<typeof look>

/**
 * @param input.credentials returns a fingerprint of a provider's credentials. If it returns undefined (unknown),
 *   changed credentials do not end a cooldown.
 */
export function look(input: {
  readonly settings: CombinedSettings.Failover
  readonly credentials: (providerID: string, kind: Failure["kind"]) => string | undefined
}) {
  const { credentials } = input
  const live = (now: number) => CombinedCooldown.current(store.read(), now, credentials)
  const keys = (member: Member, now: number, state = live(now)) =>
    CombinedCooldown.unproven(state, member.providerID, member.modelID, now)

  const { threshold, soonest } = input.settings
  /** Uses the fingerprint for quotas, so that a renewed login still counts as the same account. */
  const account = ({ providerID }: CombinedMember.Name) => ({
    providerID,
    credentials: credentials(providerID, "quota"),
  })

  const view = ({ owner, ...wish }: Wish): CombinedRank.View => {
    const now = Date.now()
    const state = live(now)
    return {
      ...wish,
      state,
      now,
      probed: (member) => probes.taken(keys(member, now, state), owner, now),
      lastResort: input.settings.lastResort,
      ...plans(now),
    }
  }

  /** What is known about plans. Looked up once per member, because a fingerprint takes a while. */
  const plans = (now: number): Pick<CombinedRank.View, "nearlyUsed" | "ends"> => {
    const accounts = store.accounts()
    const providers = new Set([...accounts.keys()].map(CombinedMember.providerOf))
    if (!providers.size) return {}
    const known = new Map<
      CombinedMember.Name,
      { readonly used: Window | undefined; readonly ends: number | undefined }
    >()
    const about = (member: Member) => {
      const before = known.get(member)
      if (before) return before
      const whose = providers.has(member.providerID) ? account(member) : undefined
      const used = whose && CombinedAccounts.nearlyUsed(accounts, member, whose, threshold, now)
      const found = { used, ends: whose && CombinedAccounts.endsNext(accounts, member, whose, now) }
      known.set(member, found)
      return found
    }
    return {
      nearlyUsed: (member) => about(member).used,
      ...(soonest && { ends: (member: Member) => about(member).ends }),
    }
  }

  const choose = <M extends Member>(members: readonly M[], wish: Wish = {}) => CombinedRank.choose(members, view(wish))

  return {
    settings: input.settings,
    choose,
    /** The members of a combined model that the user allows, in this session and on this machine. */
    among: <M extends Member>(id: string, members: readonly M[], steer?: Steer) =>
      CombinedSteer.among(id, members, store.machine(), steer),
    /** Why the user does not allow this member. */
    reason: (id: string, members: readonly Member[], member: Member, steer?: Steer) =>
      CombinedSteer.reason(id, members, member, store.machine(), steer),
    /** Everything that is known, for display. */
    facts: () => {
      const now = Date.now()
      const accounts = store.accounts()
      return {
        now,
        state: live(now),
        machine: store.machine(),
        windows: (member: Member) =>
          accounts.size ? CombinedAccounts.windows(accounts, member, account(member), now) : [],
      }
    },
    rank: <M extends Member>(members: readonly M[], wish: Wish = {}) => CombinedRank.rank(members, view(wish)),
    /**
     * The member to ask now; if all are unavailable, the one that is back first. It is checked again before its
     * request.
     */
    first: <M extends Member>(members: readonly M[], wish: Wish = {}) => {
      const choice = choose(members, wish)
      return choice.type === "serve" ? choice.member : (choice.out[0]?.member ?? members[0])
    },
    /** Starts a cooldown after a request that was sent at `began`. If other processes cannot be told, returns why. */
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
    nearlyUsed: (member: Member) => plans(Date.now()).nearlyUsed?.(member),
    succeed: (member: Member, began: number) =>
      void store.update((state) => CombinedCooldown.succeed(state, member.providerID, member.modelID, began)),
    /** Remembers what the member's answer says about its plan. */
    see: (member: Member, windows: readonly Window[]) =>
      store.see((accounts) => CombinedAccounts.see(accounts, account(member), member.modelID, windows, Date.now())),
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

/** Any answer of a provider ends its cooldown, even an answer of a model that is not combined. */
export function well(member: CombinedMember.Name, began: number) {
  store.update((state) => CombinedCooldown.succeed(state, member.providerID, member.modelID, began))
}

/**
 * Ends the cooldowns of these members. Without `members`, of all; then it also forgets how much of the plans is used.
 */
export function forget(members?: readonly CombinedMember.Name[]) {
  store.update((state) => CombinedCooldown.forget(state, members, Date.now()))
  if (!members) store.see((accounts) => CombinedAccounts.forget(accounts, Date.now()))
  return store.problem()
}

/** Changes whenever what is known changes, in any process. */
export const stamp = () => store.stamp()

export function release(owner: object) {
  probes.release(owner)
}

export * as CombinedPool from "./pool"
