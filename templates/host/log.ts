/**
 * A record of each attempt, as a line of JSON in one file per user; `opencode-patcher attempts` reads it.
 *
 * A line is written in one piece, so processes may write simultaneously. At most two files of this size are kept.
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
  /** The user's message that was being answered, and the one the attempt was to make. */
  readonly message: string
  readonly answer?: string
  /** `small` is any other request that nobody watches. */
  readonly purpose: "step" | "summary" | "title" | "small"
  readonly combined: string
  readonly provider: string
  readonly model: string
  /** The preferred member's model, if this is a different one. */
  readonly instead_of?: string
  /** The one the user requested and, if different, the member's own; null if it has none. */
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

/** A turn must not fail because of the log: if it cannot be written, there is none. */
export function append(record: Record, file = FILE, largest = LARGEST) {
  try {
    if (sizeOf(file) >= largest) rotate(file, largest)
    CombinedPrivateFile.append(file, JSON.stringify(record) + "\n")
  } catch {
    return false
  }
  return true
}

/** What is recorded, the oldest line first. */
export function read(file = FILE) {
  return [`${file}.1`, file].map((name) => CombinedPrivateFile.read(name, 4 * LARGEST)?.toString("utf8") ?? "").join("")
}

/**
 * Another process that saw the full file may have started a new one in the meantime, which must not replace the full
 * one: whoever makes the lock checks again. A dead process's lock lasts for a minute.
 */
function rotate(file: string, largest: number) {
  const lock = `${file}.lock`
  try {
    const held = statSync(lock, { throwIfNoEntry: false })
    if (held && Date.now() - held.mtimeMs > STALE) rmdirSync(lock)
    mkdirSync(lock)
  } catch {
    // The owner of the lock rotates; this line goes to one of the two files.
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
