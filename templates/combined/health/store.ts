/**
 * The health of members, shared by all processes of the user and kept over restarts.
 *
 * One JSON file, replaced as a whole, by one process at a time. A turn never waits for the others: what cannot be written at
 * once holds in this process from now on, and is written a moment later. A state is a map in which the later record wins.
 */
import { CombinedCooldown } from "./cooldown"

/** Where the state is kept: a file, for those who have one. */
export type Shelf = {
  /** Changes with each replacement; undefined where there is nothing. */
  readonly stamp: () => string | undefined
  readonly read: () => string | undefined
  /** Replaces the whole in one step, or throws. */
  readonly replace: (text: string) => void
  /** Does something while no other process changes it; false, and nothing done, where another one does for so long. */
  readonly alone: (act: () => void, patience: number) => boolean
  /** Tries again until it is done: every few milliseconds, and with patience before the process ends. */
  readonly until: (done: (patience: number) => boolean) => void
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
  const memory: { state: CombinedCooldown.State; seen?: string; problem?: string; pending: boolean } = {
    state: new Map(),
    pending: false,
  }

  /** Takes over what others have written; whether something of ours is missing there. */
  const take = () => {
    const stamp = shelf.stamp()
    if (stamp === memory.seen) return false
    memory.seen = stamp
    if (stamp === undefined) return false
    const found = CombinedCooldown.parse(shelf.read() ?? "")
    memory.state = CombinedCooldown.merge(memory.state, found)
    return [...live(memory.state)].some(([key, item]) => (found.get(key)?.since ?? -1) < item.since)
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

  const write = (patience: number) =>
    shelf.alone(() => {
      take()
      give()
    }, patience)

  const share = () => {
    if (memory.pending || write(0)) return
    memory.pending = true
    shelf.until((patience) => {
      memory.pending = !write(patience)
      return !memory.pending
    })
  }

  const read = () => {
    const missing = take()
    memory.state = live(memory.state)
    if (missing) share()
    return memory.state
  }

  const update: Store["update"] = (change) => {
    const before = read()
    memory.state = change(before)
    if (memory.state !== before) share()
    return memory.state
  }

  return {
    read,
    update,
    problem: () => memory.problem,
  }
}

export * as CombinedHealthStore from "./store"
