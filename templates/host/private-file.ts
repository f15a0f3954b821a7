/** A file for this user alone. A file that someone else put in its place is neither read nor written. */
import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from "fs"

/** Do not follow links, and do not wait for pipes. Windows has neither flag. */
const CAREFUL = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Throws if the file belongs to another user, or is not a regular file. */
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

/** The content; undefined if the file is missing, not ours, or larger than `largest` bytes. */
export function read(file: string, largest: number) {
  try {
    return withOwn(file, constants.O_RDONLY, (handle, size) => (size > largest ? undefined : readFileSync(handle)))
  } catch {
    return undefined
  }
}

/** Appends a line in one write. Throws if it cannot be written. */
export function append(file: string, line: string) {
  withOwn(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, (handle) => writeSync(handle, line))
}

export * as CombinedPrivateFile from "./private-file"
