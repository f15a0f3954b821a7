/** The health file in readable form, for `opencode combined health`. Pure. */
import type { Accounts } from "../health/accounts"
import type { State } from "../health/cooldown"
import { CombinedMember } from "../member"
import { CombinedText } from "../text"
import { CombinedClock } from "./clock"

export type Avoided = {
  /** A provider with all its models (`provider`), or `provider/model`. */
  readonly member: string
  readonly class: string
  readonly message: string
  readonly since: string
  readonly until: string
  readonly failures: number
}

export type Plan = { readonly provider: string; readonly window: string; readonly used: number; readonly ends: string }

/** The same form as in `opencode-patcher health --json`. */
export type Health = { readonly now: string; readonly avoided: readonly Avoided[]; readonly plans: readonly Plan[] }

export function health(state: State, accounts: Accounts, now: number): Health {
  const avoided = [...state]
    .filter(([, item]) => item.failures > 0 && item.since <= now && item.until > now)
    .toSorted(([, a], [, b]) => a.until - b.until)
    .map(([key, item]) => ({
      member: nameOf(key),
      class: item.kind,
      message: item.message,
      since: new Date(item.since).toISOString(),
      until: new Date(item.until).toISOString(),
      failures: item.failures,
    }))
  const plans = [...accounts].flatMap(([key, report]) =>
    report.windows
      .filter((item) => item.endsAt > now)
      .map((item) => ({
        provider: CombinedMember.providerOf(key),
        window: item.name,
        used: item.usedShare,
        ends: new Date(item.endsAt).toISOString(),
      })),
  )
  return { now: new Date(now).toISOString(), avoided, plans }
}

/** The keys of what is being avoided and has this name; without a name, all of them. */
export function meant(state: State, name: string | undefined, now: number) {
  return [...state]
    .filter(([, item]) => item.failures > 0 && item.until > now)
    .map(([key]) => key)
    .filter((key) => name === undefined || nameOf(key) === name || CombinedMember.providerOf(key) === name)
}

export const nameOf = (key: string) => (key.endsWith("/") ? key.slice(0, -1) : key)

/** The lines to print. `program` is the name of the OpenCode command. */
export function lines({ avoided, plans }: Health, now: number, program = "opencode") {
  return [
    ...(avoided.length ? [] : ["No provider is being avoided."]),
    ...avoided.flatMap((item) => [
      `${item.member}: avoided ${CombinedClock.until(Date.parse(item.until), now)} (${item.class}${item.failures > 1 ? `, failed ${item.failures} times in a row` : ""})`,
      `  ${item.message}`,
    ]),
    ...plans.map(
      (item) =>
        `${item.provider}: ${Math.round(item.used * 100)} % of the ${item.window} used, ${CombinedClock.until(Date.parse(item.ends), now)}`,
    ),
    ...(avoided.length ? [`To ask one again now: ${program} combined health clear MEMBER`] : []),
  ].map(CombinedText.shown)
}

export * as CombinedKnown from "./known"
