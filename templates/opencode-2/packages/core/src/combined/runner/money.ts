/** Before a request, holds what it may cost against the budget; after it, charges what it has cost. */
import { Effect } from "effect"
import { CombinedConsent } from "../host/consent"
import { CombinedHolds } from "../host/holds"
import { CombinedAdmit } from "../money/admit"
import { CombinedPrice } from "../money/price"
import { CombinedWords, type Bar } from "../money/words"
import { CombinedRunnerAttempt } from "./attempt"
import type { CombinedRunnerRoute } from "./route"
import type { LLMRequest } from "./upstream/llm"

/**
 * Returns the members that may not be asked for this request. If it is empty, this member may be asked, and what the
 * request may cost is held.
 */
export const admit = (
  { member, members, money, root, put }: CombinedRunnerRoute.Route,
  attempt: CombinedRunnerAttempt.Attempt,
  request: LLMRequest,
): Effect.Effect<readonly Bar[]> =>
  Effect.gen(function* () {
    const { metered, budget } = money
    const { terms } = member
    if (!terms) return []
    const { priceClass, price, chosen } = terms
    const session = yield* root
    const facts: CombinedAdmit.Facts = {
      priceClass,
      metered,
      chosen,
      consent: CombinedConsent.said(session),
      canAsk: true,
      budget: budget !== undefined,
      priced: price !== undefined,
    }
    const first = CombinedAdmit.admit(facts)
    const found =
      first.type === "ask"
        ? CombinedAdmit.admit({ ...facts, consent: yield* CombinedConsent.ask(session, put(session)) })
        : first
    if (found.type === "refuse") {
      const about = found.why === "declined" ? members.filter((one) => one.terms?.priceClass === "metered") : [member]
      return about.map((one) => CombinedWords.bar(one, found.why))
    }
    if (found.type !== "hold" || !budget || !price) return []
    const estimate = CombinedPrice.estimate(price, {
      input: CombinedPrice.tokensOf(request.system, request.messages, request.tools),
      output: member.model.limit.output || LONGEST_ANSWER,
    })
    const held = yield* CombinedHolds.hold({ providerID: member.providerID, session }, estimate, budget)
    if (held === "busy" || "of" in held) return [CombinedWords.bar(member, held)]
    attempt.hold = held
    return []
  })

/** For a model whose limit is unknown. Upstream asks for as many tokens as a model allows. */
const LONGEST_ANSWER = 32_000

/** Replaces what is held for a request with what it has cost. Not every server reports its tokens. */
export const pay = (attempt: CombinedRunnerAttempt.Attempt, cost: CombinedRunnerAttempt.Subject["cost"]) =>
  Effect.suspend(() => {
    const { hold } = attempt
    if (!hold) return Effect.void
    attempt.hold = undefined
    const { tokens, cost: dollars } = CombinedRunnerAttempt.spent(attempt, cost)
    const isReported = tokens.input + tokens.output + tokens.cache.read + tokens.cache.write > 0
    const answered = attempt.firstToken !== undefined
    return CombinedHolds.settle(hold, { reported: isReported ? dollars : undefined, answered })
  })

export * as CombinedRunnerMoney from "./money"
