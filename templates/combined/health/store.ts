/**
 * The health of members, shared by all processes of the user and kept over restarts.
 *
 * One JSON file, replaced as a whole. Nobody locks it: a state is a map in which the later record wins, so a change that
 * another process has overwritten is put back by the one that made it, as soon as that one looks.
 */
import { CombinedCooldown } from "./cooldown"

/** Where the state is kept: a file, for those who have one. */
export type Shelf = {
  /** Changes with each replacement; undefined where there is nothing. */
  readonly stamp: () => string | undefined
  readonly read: () => string | undefined
  /** Replaces the whole in one step, or throws. */
  readonly replace: (text: string) => void
}

export type Store = {
  /** What is known now, by this process and by others. */
  readonly read: () => CombinedCooldown.State
  readonly update: (change: (state: CombinedCooldown.State) => CombinedCooldown.State) => CombinedCooldown.State
  /** Why the last change could not be shared; this process goes by it all the same. */
  readonly problem: () => string | undefined
}

/**
 * @param live drops what no longer counts, so that the file cannot grow
 */
export function open(shelf: Shelf, live: (state: CombinedCooldown.State) => CombinedCooldown.State): Store {
  const memory: { state: CombinedCooldown.State; seen?: string; problem?: string } = { state: new Map() }

  const take = () => {
    const stamp = shelf.stamp()
    if (stamp === memory.seen) return
    memory.seen = stamp
    if (stamp === undefined) return
    const found = CombinedCooldown.parse(shelf.read() ?? "")
    memory.state = CombinedCooldown.merge(memory.state, found)
    if ([...live(memory.state)].some(([key, item]) => (found.get(key)?.since ?? -1) < item.since)) give()
  }

  const give = () => {
    try {
      shelf.replace(CombinedCooldown.format(memory.state))
      memory.seen = shelf.stamp()
      memory.problem = undefined
    } catch (error) {
      memory.problem = String(error)
    }
  }

  return {
    read: () => {
      take()
      memory.state = live(memory.state)
      return memory.state
    },
    update: (change) => {
      take()
      const before = live(memory.state)
      memory.state = change(before)
      if (memory.state !== before) give()
      return memory.state
    },
    problem: () => memory.problem,
  }
}

export * as CombinedHealthStore from "./store"
