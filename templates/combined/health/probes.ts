/**
 * After a cooldown one request finds out whether the member is well again; until it has, others keep to the next one.
 * A mark that nobody takes away ends by itself, so a request that never came to its end cannot block a member.
 */

/** Long enough for an answer to begin, short enough that a lost mark does not keep a healthy member idle. */
const LONGEST = 60_000

export type Probes = {
  /** Takes these keys for an owner; false, and nothing taken, when another one has any of them. */
  readonly claim: (keys: readonly string[], owner: object, now: number) => boolean
  readonly release: (owner: object) => void
  /** Whether another owner is finding out about any of these. */
  readonly taken: (keys: readonly string[], owner: object | undefined, now: number) => boolean
}

export function make(): Probes {
  const marks = new Map<string, { readonly owner: object; readonly until: number }>()

  const taken = (keys: readonly string[], owner: object | undefined, now: number) =>
    keys.some((key) => {
      const mark = marks.get(key)
      // A mark of the future was made before the clock was set back.
      return mark !== undefined && mark.owner !== owner && mark.until > now && mark.until <= now + LONGEST
    })

  return {
    taken,
    claim: (keys, owner, now) => {
      if (taken(keys, owner, now)) return false
      for (const key of keys) marks.set(key, { owner, until: now + LONGEST })
      return true
    },
    release: (owner) => {
      for (const [key, mark] of marks) if (mark.owner === owner) marks.delete(key)
    },
  }
}

export * as CombinedProbes from "./probes"
