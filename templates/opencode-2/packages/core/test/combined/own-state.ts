/** Imported first: the files that a test leaves in the state directory are not the user's. */
import { afterAll } from "bun:test"
import { mkdtempSync, rmSync } from "fs"
import { tmpdir } from "os"
import path from "path"

const prefix = path.join(tmpdir(), "combined-state-")

// The directory that the first file has chosen stays that of the process.
const known = process.env.XDG_STATE_HOME ?? ""
const root = known.startsWith(prefix) ? known : mkdtempSync(prefix)
process.env.XDG_STATE_HOME = root
afterAll(() => rmSync(root, { recursive: true, force: true }))
