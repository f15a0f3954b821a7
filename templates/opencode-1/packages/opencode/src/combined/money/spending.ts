/** Before a request: whether it may cost something, and how much is held for it. After it: what it has cost. */
import type { Permission } from "@/permission"
import type { Provider } from "@/provider/provider"
import { Effect } from "effect"
import { CombinedConsent } from "../host/consent"
import { CombinedHolds } from "../host/holds"
import { CombinedRoute } from "../provider/route"
import { CombinedAdmit } from "./admit"
import { CombinedPrice } from "./price"
import { CombinedQuestion, type Question } from "./question"
import { CombinedWords, type Bar } from "./words"

/** The request's session, rules and size. */
export type Request = {
  /** The session that the user opened; undefined outside of any. */
  readonly session: Effect.Effect<string | undefined>
  readonly permission: Permission.Interface | undefined
  readonly rules: () => Question["rules"]
  /** An upper bound for the request's tokens. */
  readonly tokens: () => number
  /** The variant of the model. Its thinking comes on top of the answer. */
  readonly variant?: string
}

/**
 * Returns the members that may not be asked for this request. If it is empty, this member may be asked, and what the
 * request may cost is held.
 */
export const admit = Effect.fn("CombinedSpending.admit")(function* (
  model: Provider.Model,
  request: Request,
): Effect.fn.Return<readonly Bar[]> {
  const route = CombinedRoute.of(model)
  if (!route || route.terms.priceClass !== "metered") return []
  const { terms, member } = route
  const { metered, budget } = terms.settings
  if (metered === "allow" && !budget) return []
  const session = yield* request.session
  const facts: CombinedAdmit.Facts = {
    priceClass: terms.priceClass,
    metered,
    chosen: terms.chosen,
    consent: CombinedConsent.said(session),
    canAsk: session !== undefined && request.permission !== undefined,
    budget: budget !== undefined,
    priced: terms.price !== undefined,
  }
  const first = CombinedAdmit.admit(facts)
  const found =
    first.type === "ask" && session !== undefined && request.permission
      ? CombinedAdmit.admit({
          ...facts,
          consent: yield* CombinedConsent.ask(
            session,
            CombinedQuestion.put({
              session,
              permission: request.permission,
              rules: request.rules(),
              text: CombinedWords.question(member),
            }),
          ),
        })
      : first
  if (found.type === "refuse") {
    const about = found.why === "declined" || found.why === "unasked" ? terms.metered : [member]
    return about.map((one) => CombinedWords.bar(one, found.why))
  }
  if (found.type !== "hold" || !budget || !terms.price) return []
  const estimate = CombinedPrice.estimate(terms.price, {
    input: request.tokens() + UNSEEN,
    output: outputOf(model, request.variant),
  })
  const held = yield* CombinedHolds.hold({ providerID: member.providerID, session }, estimate, budget)
  if (held === "busy" || "of" in held) return [CombinedWords.bar(member, held)]
  route.state.hold = held
  return []
})

/** Replaces what is held for the route's request with what it has cost. */
export const settle = (
  route: CombinedRoute.Route,
  request: { readonly reported: number | undefined; readonly answered: boolean },
) =>
  Effect.suspend(() => {
    const { hold } = route.state
    if (!hold) return Effect.void
    route.state.hold = undefined
    return CombinedHolds.settle(hold, request)
  })

/** Tokens for what upstream adds before the request goes out: its system prompt for the model, 15 kB at most. */
const UNSEEN = 8000

/** Upstream's limit for an answer (OUTPUT_TOKEN_MAX in provider/transform.ts). */
const OUTPUT = 32_000

function outputOf(model: Provider.Model, variant: string | undefined) {
  const limit = Number(process.env["OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX"]) || OUTPUT
  const answer = Math.min(model.limit.output, limit) || limit
  const thinking = [model.options, variant === undefined ? undefined : model.variants?.[variant]].map(budgetOf)
  return answer + Math.max(...thinking)
}

/** Anthropic's thinking is not included in the limit that upstream sets. */
function budgetOf(options: { readonly [key: string]: unknown } | undefined) {
  const thinking = options?.thinking as { readonly budgetTokens?: unknown } | undefined
  return typeof thinking?.budgetTokens === "number" ? thinking.budgetTokens : 0
}

/** The plan that is used up, if the user has to be told now that requests are billed from here on. */
export const billed = Effect.fn("CombinedSpending.billed")(function* (
  route: CombinedRoute.Route,
  session: Effect.Effect<string | undefined>,
) {
  const { terms } = route
  if (!terms.plans.length || !terms.metered.length) return undefined
  const isMetered = terms.priceClass === "metered"
  const plan = isMetered ? yield* route.usedUp : undefined
  const id = yield* session
  return id !== undefined && CombinedConsent.tells(id, plan !== undefined) ? plan : undefined
})

export * as CombinedSpending from "./spending"
