/** A file that is kept for this user alone: what somebody else has put in its place is neither believed nor written to. */
import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from "fs"

/** No link is followed, and no pipe waited for. Windows has neither flag. */
const CAREFUL = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Raises where the file is another user's, or no regular file. */
function withOwn<A>(file: string, flags: number, use: (handle: number, size: number) => A): A {
  const handle = openSync(file, flags | CAREFUL, 0o600)
  try {
    const found = fstatSync(handle)
    if (!found.isFile() || (process.getuid && found.uid !== process.getuid())) throw new Error(`${file} is not ours`)
    return use(handle, found.size)
  } finally {
    closeSync(handle)
  }
}

/** What it holds; undefined where there is none of ours, or one of more than `largest` bytes. */
export function read(file: string, largest: number) {
  try {
    return withOwn(file, constants.O_RDONLY, (handle, size) => (size > largest ? undefined : readFileSync(handle)))
  } catch {
    return undefined
  }
}

/** Adds a line, in one piece. Raises where it cannot be written. */
export function append(file: string, line: string) {
  withOwn(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, (handle) => writeSync(handle, line))
}

export * as CombinedPrivateFile from "./private-file"
