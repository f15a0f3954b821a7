/** Money that is held for running requests, in a ledger that all of the user's processes share. */
import path from "path"
import { Effect } from "effect"
import { CombinedAdmit } from "../money/admit"
import type { Budget, Cap, Spend } from "../money/budget"
import { CombinedLedger } from "../money/ledger"
import type { Estimate } from "../money/price"
import { Global } from "./global"
import { CombinedHealthFile } from "./health-file"

export const FILE = path.join(Global.Path.state, "combined-budget.json")

const ledger = CombinedLedger.open(CombinedHealthFile.shelf(FILE))

/** Milliseconds. A change of the ledger takes about one. A lock left by a dead process expires after five seconds. */
const PAUSE = 5
const PATIENCE = 15_000

/** What is held for a request. */
export type Hold = { readonly id: string; readonly spend: Spend; readonly input: number }

/**
 * Holds what a request may cost. Otherwise returns the cap that it might exceed, or "busy" if other processes keep the
 * ledger locked.
 */
export const hold = Effect.fn("CombinedHolds.hold")(function* (
  spend: Omit<Spend, "dollars">,
  estimate: Estimate,
  budget: Budget,
): Effect.fn.Return<Hold | Cap | "busy"> {
  const whole = { ...spend, dollars: estimate.total }
  const id = crypto.randomUUID()
  for (let waited = 0; waited < PATIENCE; waited += PAUSE) {
    const held = ledger.hold(id, whole, budget)
    yield* warn
    if (held?.type === "broken") return held.cap
    if (held) return { id, spend: whole, input: estimate.input }
    yield* Effect.sleep(PAUSE)
  }
  return "busy"
})

/** Replaces what is held for a request with what it has cost. */
export const settle = (held: Hold, request: Parameters<typeof CombinedAdmit.charged>[0]) =>
  Effect.suspend(() => {
    ledger.settle(held.id, { ...held.spend, dollars: CombinedAdmit.charged(request, held) })
    return warn
  })

const warn = Effect.suspend(() => {
  const problem = ledger.problem()
  return problem === undefined ? Effect.void : Effect.logWarning("combined budget", { file: FILE, problem })
})

export * as CombinedHolds from "./holds"
