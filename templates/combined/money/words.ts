/** What the user reads about money. Pure. */
import { CombinedMember, type Name } from "../member"
import { CombinedText } from "../text"
import type { Why } from "./admit"
import type { Cap } from "./budget"

/** A member that may not be asked, why, and what the user can do. */
export type Bar = Name & { readonly message: string; readonly help: string }

const BILLS = "bills each request"

export function bar({ providerID, modelID, identity }: Name, why: Why | "busy" | Cap): Bar {
  const said = typeof why === "string" ? refusals[why]({ providerID, modelID }) : cap(why)
  return { providerID, modelID, ...(identity !== undefined && { identity }), ...said }
}

const refusals: Record<Why | "busy", (member: Name) => Pick<Bar, "message" | "help">> = {
  never: () => ({
    message: `not asked: it ${BILLS}, and combined.metered is "never"`,
    help: `To change that: set combined.metered to "ask" or "allow", or say in combined.price_class which of them is a plan.`,
  }),
  declined: () => ({
    message: `not asked: it ${BILLS}, which was not allowed in this session (combined.metered is "ask")`,
    help: `You are asked again in a new session. To allow it without being asked: set combined.metered to "allow", or opencode run --auto.`,
  }),
  unasked: () => ({
    message: `not asked: it ${BILLS}, and nobody can be asked for leave here (combined.metered is "ask")`,
    help: `To allow it: set combined.metered to "allow".`,
  }),
  busy: () => ({
    message: "not asked: other processes keep changing the record of what is spent",
    help: "Try again in a moment.",
  }),
  unpriced: (member) => ({
    message: "not asked: its price is unknown, so combined.budget cannot hold it to anything",
    help: `To change that: say what ${CombinedMember.key(member)} costs (provider.${member.providerID}.models, cost), or what it is in combined.price_class.`,
  }),
}

function cap({ of, providerID, limit, spent, held, asked, ends }: Cap): Pick<Bar, "message" | "help"> {
  const key = { session: "session", day: "day", provider: `providers.${providerID}` }[of]
  const of_ = { session: "this session", day: "today", provider: "today" }[of]
  const under = held > 0 ? `, ${dollars(held)} held for requests under way` : ""
  return {
    message: `not asked: it may cost ${dollars(asked)}, and combined.budget.${key} is ${dollars(limit)} (${dollars(spent)} spent ${of_}${under})`,
    help:
      ends === undefined
        ? `The cap of combined.budget.${key} ends with the session: start a new one, or raise it.`
        : `The cap of combined.budget.${key} ends at ${new Date(ends).toLocaleString("sv")}; or raise it.`,
  }
}

/** An amount with two significant digits, but at least to the cent. */
export function dollars(amount: number) {
  if (amount === 0 || amount >= 0.1) return `$${amount.toFixed(2)}`
  return `$${Number(amount.toPrecision(2))}`
}

/** The question before the first request that is billed. */
export function question(member: Name) {
  return CombinedText.shown(`Let ${CombinedMember.key(member)} answer? It ${BILLS}.`)
}

/** Shown once in a session: from here on, requests are billed. */
export function billed(start: string, plan: { readonly providerID: string; readonly message: string }, next: Name) {
  return CombinedText.shown(
    `${start}the plan of ${plan.providerID} is used up (${plan.message}), ${next.providerID} ${BILLS}`,
  )
}

export * as CombinedWords from "./words"
