/**
 * The health of members, and what accounts have used of their plans. Shared by all of the user's processes and kept
 * across restarts.
 *
 * It is one JSON file. It is replaced as a whole, by one process at a time. A turn never waits for that: a change that
 * cannot be written at once applies in this process immediately, and is written a moment later. A state is a map in
 * which the later record wins.
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
   * Runs `act` while no other process can change the file. Returns false, without running it, if another process is
   * busy for longer than `patience`.
   */
  readonly alone: (act: () => void, patience: number) => boolean
  /** Tries again until it succeeds: every few milliseconds, and for longer right before the process ends. */
  readonly until: (done: (patience: number) => boolean) => void
}

export type Store = {
  /** The cooldowns that this process and others know now. */
  readonly read: () => CombinedCooldown.State
  readonly update: (change: (state: CombinedCooldown.State) => CombinedCooldown.State) => CombinedCooldown.State
  /** What is known about plans. */
  readonly accounts: () => Accounts
  /**
   * Changes what is known about plans. It applies at once and is written a moment later, because answers must not wait
   * for it.
   */
  readonly see: (change: (accounts: Accounts) => Accounts) => void
  /** What the user wants on this machine; only opencode-patcher changes it. */
  readonly machine: () => Machine
  /** Changes whenever the stored content changes. */
  readonly stamp: () => string | undefined
  /** Why the last change could not be shared. This process still uses it. */
  readonly problem: () => string | undefined
}

/** @param live drops what no longer counts, so that the file does not grow */
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

  /** Reads what other processes have written. Returns whether something of ours is missing there. */
  const take = () => {
    const stamp = shelf.stamp()
    if (stamp === memory.seen) return false
    // Deleting the file means that everything in it is forgotten, also by running processes.
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
    // OpenCode never changes this part, so what the file says is always right.
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
