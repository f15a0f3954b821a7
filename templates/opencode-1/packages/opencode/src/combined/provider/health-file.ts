/** The file in which the health of members is kept, for all processes of the user. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "fs"
import path from "path"
import { Global } from "@opencode-ai/core/global"
import type { CombinedHealthStore } from "../health/store"

export const FILE = path.join(Global.Path.state, "combined-health.json")

export function shelf(file: string): CombinedHealthStore.Shelf {
  return {
    stamp: () => {
      try {
        // The inode changes with each replacement, also within one tick of the clock.
        const { ino, mtimeMs, size } = statSync(file)
        return [ino, mtimeMs, size].join(":")
      } catch {
        return undefined
      }
    },
    read: () => {
      try {
        return readFileSync(file, "utf8")
      } catch {
        return undefined
      }
    },
    replace: (text) => {
      const draft = `${file}.${process.pid}`
      try {
        writeFileSync(draft, text, { mode: 0o600 })
        renameSync(draft, file)
      } catch (error) {
        rmSync(draft, { force: true })
        throw error
      }
    },
  }
}

export * as CombinedHealthFile from "./health-file"
