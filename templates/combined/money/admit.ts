/** Whether a request may cost something. Pure. */
import type { PriceClass } from "./price"

/** The user's rule for members that bill each request. */
export type Metered = "allow" | "ask" | "never"

/** Why a member may not be asked. */
export type Why = "never" | "declined" | "unasked" | "unpriced"

export type Admission =
  | { readonly type: "send" }
  /** Ask the user first. */
  | { readonly type: "ask" }
  /** Hold its estimated cost against the budget first. */
  | { readonly type: "hold" }
  | { readonly type: "refuse"; readonly why: Why }

export type Facts = {
  readonly priceClass: PriceClass
  readonly metered: Metered
  /** The user has chosen this very model, not a combined one: that counts as a yes. */
  readonly chosen: boolean
  /** What the user answered in this session. */
  readonly consent: "yes" | "no" | undefined
  /** There is a session in which the user can be asked. */
  readonly canAsk: boolean
  /** There is a budget. */
  readonly budget: boolean
  /** The price is known. */
  readonly priced: boolean
}

export function admit(facts: Facts): Admission {
  if (facts.priceClass !== "metered") return { type: "send" }
  const why = refused(facts)
  if (why === "unasked" && facts.canAsk) return { type: "ask" }
  if (why) return { type: "refuse", why }
  return { type: facts.budget ? "hold" : "send" }
}

function refused({ metered, chosen, consent, budget, priced }: Facts): Why | undefined {
  if (metered === "never" && !chosen) return "never"
  // A request without a known price could cost any amount.
  if (budget && !priced) return "unpriced"
  if (metered === "allow" || chosen || consent === "yes") return undefined
  return consent === "no" ? "declined" : "unasked"
}

/** Why a member may not be asked, whatever the session and the request. Used when members are chosen. */
export function barred(facts: Pick<Facts, "priceClass" | "metered" | "chosen" | "budget" | "priced">): Why | undefined {
  const found = admit({ ...facts, consent: "yes", canAsk: false })
  return found.type === "refuse" ? found.why : undefined
}

/**
 * What a request has cost. If the answer broke off before the provider reported it, the input is assumed to be billed.
 * If no answer had begun, nothing is.
 */
export function charged(
  request: { readonly reported: number | undefined; readonly answered: boolean },
  held: { readonly input: number },
) {
  return request.reported ?? (request.answered ? held.input : 0)
}

export * as CombinedAdmit from "./admit"
