/**
 * The ledger of all of the user's processes: one JSON file, changed by one process at a time.
 *
 * Unlike the health of members, it is read and written as a whole under the lock, because two requests must not both
 * take the last of a budget. If the file cannot be written, this process counts for itself.
 */
import type { Shelf } from "../health/store"
import { CombinedBudget, type Budget, type Cap, type Ledger, type Spend } from "./budget"

export type Held = { readonly type: "held" } | { readonly type: "broken"; readonly cap: Cap }

export function open(shelf: Shelf, clock = () => Date.now()) {
  const memory: { own?: Ledger; problem?: string } = {}

  const load = (): Ledger => {
    if (memory.own) return memory.own
    if (shelf.stamp() === undefined) return CombinedBudget.EMPTY
    const found = CombinedBudget.parse(shelf.read() ?? "")
    if (!found) memory.problem = "the record of what was spent was damaged, so it starts anew"
    return found ?? CombinedBudget.EMPTY
  }

  const save = (ledger: Ledger) => {
    try {
      shelf.replace(CombinedBudget.format(ledger))
      memory.own = undefined
    } catch (error) {
      memory.own = ledger
      memory.problem = `what is spent cannot be shared with other processes: ${String(error)}`
    }
  }

  return {
    /** Holds money for a request, unless it might exceed a cap. Undefined while another process changes the ledger. */
    hold: (id: string, spend: Spend, budget: Budget): Held | undefined => {
      const made: { result?: Held } = {}
      shelf.alone(() => {
        const ledger = load()
        const cap = CombinedBudget.broken(ledger, budget, spend, clock())
        if (!cap) save(CombinedBudget.hold(ledger, id, spend, clock()))
        made.result = cap ? { type: "broken", cap } : { type: "held" }
      }, 0)
      return made.result
    },
    /**
     * Replaces what was held with what the request has cost; a little later if another process is changing the ledger.
     */
    settle: (id: string, spend: Spend) => {
      const write = (patience: number) =>
        shelf.alone(() => save(CombinedBudget.settle(load(), id, spend, clock())), patience)
      if (!write(0)) shelf.until(write)
    },
    /** The last problem with the file, if there was one since the last call. */
    problem: () => {
      const { problem } = memory
      memory.problem = undefined
      return problem
    },
  }
}

export type Open = ReturnType<typeof open>

export * as CombinedLedger from "./ledger"
