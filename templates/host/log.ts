/**
 * A record of each attempt, one line of JSON each, in one file per user. `opencode-patcher attempts` reads it.
 *
 * A line is written in one piece, so several processes may write at once. A full file is renamed to `….1`, so there are
 * at most two.
 */
import { mkdirSync, renameSync, rmdirSync, statSync } from "fs"
import path from "path"
import { Global } from "./global"
import { CombinedPrivateFile } from "./private-file"

export type Action = "served" | "repeated" | "moved" | "waited" | "ended" | "cancelled"

export type Record = {
  /** ISO 8601. */
  readonly start: string
  readonly end: string
  /** Milliseconds from the start. */
  readonly first_token?: number
  readonly session: string
  /** The user's message that was being answered, and the message that the attempt was to write. */
  readonly message: string
  readonly answer?: string
  /** `small` is any other request that nobody watches. */
  readonly purpose: "step" | "summary" | "title" | "small"
  readonly combined: string
  readonly provider: string
  readonly model: string
  /** The preferred member's model, if it is a different one. */
  readonly instead_of?: string
  /** The variant that the user requested and, if different, the member's own; null if it has none. */
  readonly variant?: string
  readonly own_variant?: string | null
  /** How far the answer got. */
  readonly phase: string
  readonly action: Action
  /** The class of the failure and its message. */
  readonly failure?: string
  readonly reason?: string
  /** Finished tools that stayed. */
  readonly tools?: number
  readonly next?: string
  readonly tokens: { readonly input: number; readonly output: number; readonly cache_read: number }
  /** Dollars. */
  readonly cost: number
}

export const FILE = path.join(Global.Path.data, "combined-attempts.jsonl")

const LARGEST = 4_000_000

const STALE = 60_000

/** If the log cannot be written, it is skipped: a turn must not fail because of it. */
export function append(record: Record, file = FILE, largest = LARGEST) {
  try {
    if (sizeOf(file) >= largest) rotate(file, largest)
    CombinedPrivateFile.append(file, JSON.stringify(record) + "\n")
  } catch {
    return false
  }
  return true
}

/** All records, oldest first. */
export function read(file = FILE) {
  return [`${file}.1`, file].map((name) => CombinedPrivateFile.read(name, 4 * LARGEST)?.toString("utf8") ?? "").join("")
}

/**
 * Another process may have seen the full file too and already started a new one. That new file must not replace the
 * full one, so the size is checked again under the lock. A dead process's lock lasts for a minute.
 */
function rotate(file: string, largest: number) {
  const lock = `${file}.lock`
  try {
    const held = statSync(lock, { throwIfNoEntry: false })
    if (held && Date.now() - held.mtimeMs > STALE) rmdirSync(lock)
    mkdirSync(lock)
  } catch {
    // The process that has the lock rotates. This line goes to either of the two files.
    return
  }
  try {
    if (sizeOf(file) >= largest) renameSync(file, `${file}.1`)
  } finally {
    rmdirSync(lock)
  }
}

function sizeOf(file: string) {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

export * as CombinedLog from "./log"
