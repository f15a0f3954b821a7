/**
 * The health of members, shared by all processes of the user and kept over restarts.
 *
 * One JSON file, replaced as a whole. Nobody locks it: a state is a map in which the later record wins, so a change that
 * another process has overwritten is put back by the one that made it, as soon as that one looks.
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "fs"
import path from "path"
import { Global } from "@opencode-ai/core/global"
import { CombinedHealth } from "./health"

export type Store = {
  readonly file: string
  /** What is known now, by this process and by others. */
  readonly read: () => CombinedHealth.State
  readonly update: (change: (state: CombinedHealth.State) => CombinedHealth.State) => CombinedHealth.State
  /** Why the last change could not be shared; this process goes by it all the same. */
  readonly problem: () => string | undefined
}

export const FILE = path.join(Global.Path.state, "combined-health.json")

/**
 * @param file where the state is kept
 * @param live drops what no longer counts, so that the file cannot grow
 */
export function open(file: string, live: (state: CombinedHealth.State) => CombinedHealth.State): Store {
  const memory: { state: CombinedHealth.State; seen?: string; problem?: string } = { state: new Map() }

  const take = () => {
    const stamp = stampOf(file)
    if (stamp === memory.seen) return
    memory.seen = stamp
    if (stamp === undefined) return
    const found = CombinedHealth.parse(textOf(file) ?? "")
    memory.state = CombinedHealth.merge(memory.state, found)
    if ([...live(memory.state)].some(([key, item]) => (found.get(key)?.since ?? -1) < item.since)) give()
  }

  const give = () => {
    const draft = `${file}.${process.pid}`
    try {
      writeFileSync(draft, CombinedHealth.format(memory.state), { mode: 0o600 })
      renameSync(draft, file)
      memory.seen = stampOf(file)
      memory.problem = undefined
    } catch (error) {
      memory.problem = String(error)
      rmSync(draft, { force: true })
    }
  }

  return {
    file,
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

/** Changes with each replacement of the file, also within one tick of the clock. */
function stampOf(file: string) {
  try {
    const { ino, mtimeMs, size } = statSync(file)
    return [ino, mtimeMs, size].join(":")
  } catch {
    return undefined
  }
}

function textOf(file: string) {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

export * as CombinedHealthStore from "./health-store"
