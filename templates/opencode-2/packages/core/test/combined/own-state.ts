/** Imported first, so that the tests do not write into the user's state directory. */
import { afterAll } from "bun:test"
import { mkdtempSync, rmSync } from "fs"
import { tmpdir } from "os"
import path from "path"

const prefix = path.join(tmpdir(), "combined-state-")

// The first file that runs chooses the directory for the whole process.
const known = process.env.XDG_STATE_HOME ?? ""
const root = known.startsWith(prefix) ? known : mkdtempSync(prefix)
process.env.XDG_STATE_HOME = root
afterAll(() => rmSync(root, { recursive: true, force: true }))
