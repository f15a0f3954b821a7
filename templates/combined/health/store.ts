/**
 * The health of members, and what accounts have used of their plans, shared by all of the user's processes and kept
 * across restarts.
 *
 * One JSON file, replaced as a whole, by one process at a time. A turn never waits for others: a change that cannot be
 * written at once applies in this process immediately, and is written a moment later. A state is a map in which the
 * later record wins.
 */
import { CombinedAccounts, type Accounts } from "./accounts"
import { CombinedCooldown } from "./cooldown"
import { CombinedSteer, type Machine } from "../choice/steer"
import { parsed } from "../value"

/** Where the state is stored: a file, if available. */
export type Shelf = {
  /** Changes with each replacement; undefined if there is nothing. */
  readonly stamp: () => string | undefined
  readonly read: () => string | undefined
  /** Replaces everything in one step, or throws. */
  readonly replace: (text: string) => void
  /**
   * Does something while no other process changes it; returns false, without doing it, if another one is busy for that
   * long.
   */
  readonly alone: (act: () => void, patience: number) => boolean
  /** Tries again until it succeeds: every few milliseconds, and longer before the process ends. */
  readonly until: (done: (patience: number) => boolean) => void
}

export type Store = {
  /** What this process and others know now. */
  readonly read: () => CombinedCooldown.State
  readonly update: (change: (state: CombinedCooldown.State) => CombinedCooldown.State) => CombinedCooldown.State
  /** What is known about plans. */
  readonly accounts: () => Accounts
  /** Changes that. It applies at once and is written a moment later, because answers must not wait for it. */
  readonly see: (change: (accounts: Accounts) => Accounts) => void
  /** What the user wants on this machine; only the tool changes it. */
  readonly machine: () => Machine
  /** Changes with what is stored. */
  readonly stamp: () => string | undefined
  /** Why the last change could not be shared; this process still uses it. */
  readonly problem: () => string | undefined
}

/**
 * @param live drops what no longer counts, so that the file does not grow
 */
export function open(
  shelf: Shelf,
  live: (state: CombinedCooldown.State) => CombinedCooldown.State,
  liveAccounts = (accounts: Accounts) => CombinedAccounts.current(accounts, Date.now()),
): Store {
  const memory: {
    state: CombinedCooldown.State
    accounts: Accounts
    machine: Machine
    seen?: string
    problem?: string
    unwritten: boolean
    pending: boolean
  } = {
    state: new Map(),
    accounts: CombinedAccounts.NONE,
    machine: CombinedSteer.NOTHING,
    unwritten: false,
    pending: false,
  }

  /** Reads what others have written. Returns whether something of ours is missing there. */
  const take = () => {
    const stamp = shelf.stamp()
    if (stamp === memory.seen) return false
    // Whoever deletes the file wants everything in it forgotten, by the processes that run as well.
    if (stamp === undefined) {
      memory.state = new Map()
      memory.accounts = CombinedAccounts.NONE
      memory.machine = CombinedSteer.NOTHING
    }
    memory.seen = stamp
    if (stamp === undefined) return false
    const value = parsed(shelf.read() ?? "")
    const found = CombinedCooldown.read(value)
    const accounts = CombinedAccounts.read(value)
    // It is never changed here, so the file is always right.
    memory.machine = CombinedSteer.machine(value)
    memory.state = CombinedCooldown.merge(memory.state, found)
    memory.accounts = CombinedAccounts.merge(memory.accounts, accounts)
    return (
      [...live(memory.state)].some(([key, item]) => (found.get(key)?.since ?? -1) < item.since) ||
      [...liveAccounts(memory.accounts)].some(([key, item]) => (accounts.get(key)?.at ?? -1) < item.at)
    )
  }

  const give = () => {
    try {
      const more = { ...CombinedAccounts.plain(memory.accounts), ...CombinedSteer.plain(memory.machine) }
      shelf.replace(CombinedCooldown.format(memory.state, more))
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
      memory.unwritten = false
    }, patience)

  const share = () => {
    memory.unwritten = true
    if (!write(0)) later()
  }

  const later = () => {
    memory.unwritten = true
    if (memory.pending) return
    memory.pending = true
    shelf.until((patience) => {
      memory.pending = memory.unwritten && !write(patience)
      return !memory.pending
    })
  }

  const read = () => {
    const missing = take()
    memory.state = live(memory.state)
    memory.accounts = liveAccounts(memory.accounts)
    if (missing) share()
    return memory.state
  }

  const update: Store["update"] = (change) => {
    const before = read()
    memory.state = change(before)
    if (memory.state !== before) share()
    return memory.state
  }

  const accounts = () => {
    read()
    return memory.accounts
  }

  const see: Store["see"] = (change) => {
    const before = accounts()
    memory.accounts = change(before)
    if (memory.accounts !== before) later()
  }

  return {
    read,
    update,
    accounts,
    see,
    machine: () => {
      read()
      return memory.machine
    },
    stamp: shelf.stamp,
    problem: () => memory.problem,
  }
}

export * as CombinedHealthStore from "./store"
