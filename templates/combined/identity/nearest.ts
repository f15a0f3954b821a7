// The known name closest to a mistyped one. nearest.py in opencode-patcher is the same in Python.
import { compare, lower } from "./scan"

// Limits the work for long names.
const LONGEST = 64

/**
 * The known name with the fewest edits, ignoring punctuation and letters beyond ASCII; of equally close names, the
 * first one. Empty if no name is close, that is, if more than a third of the letters differ.
 */
export function nearest(name: string, known: readonly string[]) {
  const wanted = letters(name)
  let best = ""
  let fewest = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of [...new Set(known)].toSorted(compare)) {
    const edits = distance(wanted, letters(candidate), fewest)
    if (edits >= fewest) continue
    best = candidate
    fewest = edits
  }
  return best
}

function letters(name: string) {
  return lower(name)
    .replace(/[^a-z0-9]+/g, "")
    .slice(0, LONGEST)
}

// The Levenshtein distance, or the limit if it is at least that.
function distance(left: string, right: string, limit: number) {
  if (Math.abs(left.length - right.length) >= limit) return limit
  const row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let at = 1; at <= left.length; at++) {
    let before = row[0]
    row[0] = at
    for (let index = 1; index <= right.length; index++) {
      const change = before + (left[at - 1] === right[index - 1] ? 0 : 1)
      before = row[index]
      row[index] = Math.min(change, row[index] + 1, row[index - 1] + 1)
    }
    if (Math.min(...row) >= limit) return limit
  }
  return Math.min(row[right.length], limit)
}
