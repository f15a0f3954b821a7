/**
 * What is known about the members of the combined models, to be shown: which one serves, which could, which cannot and
 * until when. Pure. The server's API sends it and the TUI shows it.
 */
import type { Kind } from "../failure/classify"
import { CombinedCooldown, type State } from "../health/cooldown"
import type { Window } from "../health/window"
import { CombinedMember, type Member } from "../member"
import type { PriceClass } from "../money/price"
import { CombinedText } from "../text"
import { CombinedClock } from "./clock"
import { CombinedSteer, type Machine, type Steer } from "../choice/steer"

/**
 * `serving`: it gave the last answer of the session, or is giving it. `warm`: it holds a prompt cache of the session.
 * `cooling`: it failed, and is not asked before `cooldown.until`. `skipped`: the user does not want it asked.
 */
export type Standing = "serving" | "ready" | "warm" | "cooling" | "skipped"

type Trouble = { readonly kind: Kind; readonly message: string; readonly since: number; readonly until: number }

export type Row = {
  /** `provider/model`. */
  readonly member: string
  readonly provider: { readonly id: string; readonly name: string }
  readonly model: { readonly id: string; readonly name: string }
  readonly standing: Standing
  /** Whether this member would be asked now. */
  readonly next: boolean
  readonly pinned: boolean
  /** Why the user's wishes rule it out. */
  readonly ruledOut?: CombinedSteer.Reason
  /** `whole`: the whole provider is cooling down, not only this model. */
  readonly cooldown?: Trouble & { readonly whole: boolean }
  /** Its last failure, if it has had no success since. */
  readonly lastError?: Trouble
  readonly windows: readonly { readonly name: string; readonly used: number; readonly ends: number }[]
  readonly price: PriceClass
  /** What its answers in the session have cost, in dollars. */
  readonly cost: number
}

export type Group = { readonly id: string; readonly name: string; readonly members: readonly Row[] }

export type Picture = {
  /** The time that the picture shows. All times in it are milliseconds since the epoch. */
  readonly at: number
  /** What the user wants in the session. */
  readonly steer: Steer
  readonly models: readonly Group[]
}

/** An answer of a member in the session, even a failed one. */
export type Answered = { readonly member: string; readonly cost: number }

export type Seen = {
  readonly now: number
  readonly state: State
  readonly machine: Machine
  readonly steer: Steer
  /** In the order in which they came. */
  readonly answers: readonly Answered[]
  /** Members that are being asked right now in the session. */
  readonly asked: readonly string[]
  /** Whether a member holds a prompt cache of the session. */
  readonly warm: (member: Member) => boolean
  readonly windows: (member: Member) => readonly Window[]
  readonly price: (member: Member) => PriceClass
  readonly providerName: (id: string) => string
  readonly modelName: (member: Member) => string
  /** Which of these would be asked now. */
  readonly next: (members: readonly Member[]) => Member | undefined
}

export function picture(
  models: readonly { readonly id: string; readonly name: string; readonly members: readonly Member[] }[],
  seen: Seen,
): Picture {
  return { at: seen.now, steer: seen.steer, models: models.map((model) => group(model, seen)) }
}

function group(
  { id, name, members }: { readonly id: string; readonly name: string; readonly members: readonly Member[] },
  seen: Seen,
): Group {
  const allowed = CombinedSteer.among(id, members, seen.machine, seen.steer)
  const next = seen.next(allowed)
  const keys = members.map(CombinedMember.key)
  const serving =
    seen.asked.find((key) => keys.includes(key)) ?? seen.answers.findLast((item) => keys.includes(item.member))?.member
  const pin = seen.steer.pin ?? CombinedSteer.pinOf(seen.machine, id)
  return {
    id,
    name,
    members: members.map((member) => {
      const key = CombinedMember.key(member)
      const ruledOut = CombinedSteer.reason(id, members, member, seen.machine, seen.steer)
      const cooldown = CombinedCooldown.cooling(seen.state, member.providerID, member.modelID, seen.now)
      const failed = lastFailure(seen.state, member)
      const own = seen.answers.filter((item) => item.member === key)
      const standing = (): Standing => {
        if (cooldown) return "cooling"
        if (serving === key) return "serving"
        if (ruledOut === "skipped") return "skipped"
        return seen.warm(member) ? "warm" : "ready"
      }
      return {
        member: key,
        provider: { id: member.providerID, name: seen.providerName(member.providerID) },
        model: { id: member.modelID, name: seen.modelName(member) },
        standing: standing(),
        next: next === member,
        pinned: pin !== undefined && CombinedSteer.names(pin, member) && allowed.includes(member),
        ...(ruledOut && { ruledOut }),
        ...(cooldown && {
          cooldown: {
            ...trouble(cooldown),
            whole: seen.state.get(CombinedMember.providerKey(member.providerID)) === cooldown,
          },
        }),
        ...(failed && { lastError: trouble(failed) }),
        windows: seen.windows(member).map(({ name: window, usedShare, endsAt }) => ({
          name: CombinedText.shown(window),
          used: usedShare,
          ends: endsAt,
        })),
        price: seen.price(member),
        cost: own.reduce((sum, item) => sum + item.cost, 0),
      }
    }),
  }
}

/** The standing of a member in words: "avoided until 14:05 (in 12 min): quota". */
export function state(
  row: Pick<Row, "standing" | "next" | "pinned" | "ruledOut"> & {
    readonly cooldown?: Pick<Trouble, "until"> & { readonly kind: string }
  },
  now: number,
) {
  if (row.cooldown && row.cooldown.until > now)
    return `avoided ${CombinedClock.until(row.cooldown.until, now)}: ${kindOf(row.cooldown.kind)}`
  if (row.ruledOut) return RULED_OUT[row.ruledOut]
  const standing = row.standing === "cooling" ? "ready" : row.standing
  return [row.pinned ? "pinned" : standing, ...(row.next && standing !== "serving" ? ["next"] : [])].join(", ")
}

const RULED_OUT = {
  skipped: "skipped",
  "pinned elsewhere": "another is pinned",
  off: "failover is off",
} as const satisfies Record<CombinedSteer.Reason, string>

/** The class of a failure, in words. */
export const kindOf = (word: string) => word.replaceAll("_", " ")

const trouble = ({ kind, message, since, until }: CombinedCooldown.Cooldown): Trouble => ({
  kind,
  message: CombinedText.shown(message),
  since,
  until,
})

function lastFailure(state: State, member: Member) {
  return [state.get(CombinedMember.key(member)), state.get(CombinedMember.providerKey(member.providerID))]
    .filter((item) => item !== undefined && item.failures > 0)
    .toSorted((a, b) => (b?.since ?? 0) - (a?.since ?? 0))[0]
}

export * as CombinedPicture from "./picture"
