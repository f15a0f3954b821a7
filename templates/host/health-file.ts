/** The file that stores the health of members, for all of the user's processes. */
import { lstatSync, mkdirSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from "fs"
import path from "path"
import type { CombinedHealthStore } from "../health/store"
import { Global } from "./global"
import { CombinedPrivateFile } from "./private-file"

export const FILE = path.join(Global.Path.state, "combined-health.json")

/** Milliseconds between two attempts to write, and how long the last attempt may take when the process exits. */
const PAUSE = 5
const LAST = 1000

/** A change takes about a millisecond, so a lock this old was left by a process that has ended. */
const STALE = 5000

/** A cooldown takes a few hundred bytes, and only members that failed in the last days have one. */
const LARGEST = 4_000_000

const idle = new Int32Array(new SharedArrayBuffer(4))

export function shelf(file: string): CombinedHealthStore.Shelf {
  return {
    stamp: () => {
      try {
        // The inode changes with each replacement, even within one tick of the clock.
        const { ino, mtimeMs, size } = lstatSync(file)
        return [ino, mtimeMs, size].join(":")
      } catch {
        return undefined
      }
    },
    read: () => CombinedPrivateFile.read(file, LARGEST)?.toString("utf8"),
    replace: (text) => {
      const draft = `${file}.${process.pid}`
      try {
        // Never write into a file that a killed process, or someone else, left there.
        rmSync(draft, { force: true })
        writeFileSync(draft, text, { mode: 0o600, flag: "wx" })
        renameSync(draft, file)
      } catch (error) {
        rmSync(draft, { force: true })
        throw error
      }
    },
    alone: (act, patience) => {
      const lock = `${file}.lock`
      if (!take(lock, performance.now() + patience)) return false
      try {
        act()
      } finally {
        release(lock)
      }
      return true
    },
    until: (done) => {
      const exit = () => void done(LAST)
      process.once("exit", exit)
      const again = () => {
        if (done(0)) process.off("exit", exit)
        else setTimeout(again, PAUSE)
      }
      setTimeout(again, PAUSE)
    },
  }
}

/** Waits for the lock and takes it. Returns true also if a lock cannot be created at all: then there is none. */
function take(lock: string, until: number) {
  while (true) {
    try {
      mkdirSync(lock)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return true
    }
    const held = statSync(lock, { throwIfNoEntry: false })
    if (held && Date.now() - held.mtimeMs > STALE) release(lock)
    else if (performance.now() >= until) return false
    else Atomics.wait(idle, 0, 0, 1)
  }
}

function release(lock: string) {
  try {
    rmdirSync(lock)
  } catch {
    // Another process considered the lock abandoned and removed it.
  }
}

export * as CombinedHealthFile from "./health-file"
