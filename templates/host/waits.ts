/**
 * The sessions that wait for a member because the user wants that (`combined.wait`), so that they can continue after a
 * restart of OpenCode. A small file beside the one with the health.
 */
import path from "path"
import type { Failed } from "../choice/answer"
import { isObject, parsed } from "../value"
import { Global } from "./global"
import { CombinedHealthFile } from "./health-file"

export type Waiting = {
  readonly since: number
  /** When the wait is given up. */
  readonly end: number
  /** The answer that waits. It is discarded unless it has finished tools (`kept`). */
  readonly message: string
  readonly kept: boolean
  readonly failures: readonly Failed[]
  /** The process that waits, and when it last confirmed that. */
  readonly owner: number
  readonly seen: number
}

const FILE = path.join(Global.Path.state, "combined-waits.json")

const VERSION = 1

/**
 * How often a process confirms that it waits, and how long after that it is believed to have ended, in milliseconds.
 */
export const BEAT = 10_000
const GONE = 6 * BEAT

/** How long to try to get the lock, in milliseconds. */
const PATIENCE = 1000

const shelf = CombinedHealthFile.shelf(FILE)

/** The waits that this process has taken over. */
const resumed = new Map<string, Waiting>()

function all(): Record<string, Waiting> {
  const value = parsed(shelf.read() ?? "")
  if (!isObject(value) || value.version !== VERSION || !isObject(value.sessions)) return {}
  return Object.fromEntries(
    Object.entries(value.sessions).flatMap(([id, item]) => (isWaiting(item) ? [[id, item] as const] : [])),
  )
}

function isWaiting(value: unknown): value is Waiting {
  if (!isObject(value)) return false
  const { since, end, message, kept, failures, owner, seen } = value
  return (
    [since, end, owner, seen].every(Number.isFinite) &&
    typeof message === "string" &&
    typeof kept === "boolean" &&
    Array.isArray(failures) &&
    failures.every((item) => isObject(item) && [item.providerID, item.modelID, item.message].every(isText))
  )
}

const isText = (value: unknown) => typeof value === "string"

/** Changes the file. If that fails, the only consequence is that a wait does not survive a restart. */
function change(make: (sessions: Record<string, Waiting>) => Record<string, Waiting> | undefined) {
  try {
    shelf.alone(() => {
      const now = Date.now()
      const live = Object.fromEntries(Object.entries(all()).filter(([, item]) => item.end > now && item.since <= now))
      const sessions = make(live)
      if (sessions) shelf.replace(JSON.stringify({ version: VERSION, sessions }))
    }, PATIENCE)
  } catch {
    return
  }
}

/** Notes that this process waits for an answer of the session. */
export function keep(session: string, waiting: Omit<Waiting, "owner" | "seen">) {
  const record = { ...waiting, owner: process.pid, seen: Date.now() }
  change((sessions) => ({ ...sessions, [session]: record }))
}

/** Removes the wait: it is over, or the user has cancelled it. */
export function forget(session: string) {
  resumed.delete(session)
  change((sessions) => {
    if (!sessions[session]) return undefined
    const { [session]: _, ...rest } = sessions
    return rest
  })
}

/** The wait of a session whose process has ended; undefined if there is none. */
export function abandoned(session: string) {
  const found = all()[session]
  return found && found.end > Date.now() && !isAlive(found) ? found : undefined
}

/** All sessions with such a wait. */
export const allAbandoned = () => Object.keys(all()).filter((session) => abandoned(session) !== undefined)

/** Takes over such a wait, so that no other process gets it. */
export function take(session: string) {
  if (!abandoned(session)) return undefined
  const taken: Waiting[] = []
  change((sessions) => {
    const found = sessions[session]
    if (!found || isAlive(found)) return undefined
    taken.push(found)
    return { ...sessions, [session]: { ...found, owner: process.pid, seen: Date.now() } }
  })
  const [found] = taken
  if (found) resumed.set(session, found)
  return found
}

/** The wait that this process has taken over for the session. It is returned only once. */
export function takenOver(session: string) {
  const found = resumed.get(session)
  resumed.delete(session)
  return found
}

function isAlive({ owner, seen }: Waiting) {
  if (Date.now() - seen > GONE) return false
  if (owner === process.pid) return true
  try {
    process.kill(owner, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

export * as CombinedWaits from "./waits"
