/** Which members hold a prompt cache of a session. Pure. */
import { CombinedMember, type Name } from "../member"

/** A complete answer in the session. */
export type Answer = { readonly member: string; readonly created: number; readonly completed: number }

/** A session stays with a member that took over for at most this many lifetimes of a prompt cache. */
const STAYS = 6

/**
 * The members that answered within `stickiness` milliseconds. The last one no longer counts once it has served for
 * long, so that the preferred member comes back eventually.
 *
 * @param answers in the order in which they came
 */
export function warm(answers: readonly Answer[], now: number, stickiness: number) {
  const recent = new Set(answers.filter((item) => now - item.completed < stickiness).map((item) => item.member))
  const last = answers.at(-1)?.member
  const other = answers.findLastIndex((item) => item.member !== last)
  // A session that has only had one member has nothing to go back to.
  if (last !== undefined && other >= 0 && now - answers[other + 1].created > STAYS * stickiness) recent.delete(last)
  return (member: Name) => recent.has(CombinedMember.key(member))
}

export * as CombinedWarm from "./warm"
