/**
 * After a cooldown, one request probes whether the member has recovered; until then, other requests use the next
 * member. A mark that is not removed expires, so a request that never ends cannot block a member.
 */

/**
 * Long enough for an answer to start, and short enough that a lost mark does not keep a healthy member idle for long.
 */
const LONGEST = 60_000

export type Probes = {
  /** Takes these keys for an owner. If another owner has any of them, takes none and returns false. */
  readonly claim: (keys: readonly string[], owner: object, now: number) => boolean
  readonly release: (owner: object) => void
  /** Whether another owner is probing any of these. */
  readonly taken: (keys: readonly string[], owner: object | undefined, now: number) => boolean
}

export function make(): Probes {
  const marks = new Map<string, { readonly owner: object; readonly until: number }>()

  const taken = (keys: readonly string[], owner: object | undefined, now: number) =>
    keys.some((key) => {
      const mark = marks.get(key)
      // A mark from the future was made before the clock was set back.
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
