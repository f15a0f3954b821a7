/**
 * One run of a session's loop: from the user's message until the model is done, over all the answers that this takes.
 *
 * It ends with the loop, and all that is known of it with it: the host keeps it with whatever runs the loop.
 */
import type { Forgone } from "../failure/classify"
import { CombinedMember, type Name } from "../member"
import { CombinedAnswer, type Answer } from "./answer"

export type Run = {
  /** The answer that is being asked for. */
  answer: Answer
  /** Attempts that were taken back. They are not steps of the agent. */
  retracted: number
  /** What members refused of the history; they are asked without it. */
  readonly forgone: Map<string, Set<Forgone>>
  /** Members that said the conversation is too long, and the room that they have, in tokens. */
  readonly tooLong: Map<string, number>
}

export function make(): Run {
  return { answer: CombinedAnswer.FRESH, retracted: 0, forgone: new Map(), tooLong: new Map() }
}

/** What this member refused of the history. */
export function forgone(run: Run | undefined, member: Name): ReadonlySet<Forgone> {
  return run?.forgone.get(CombinedMember.key(member)) ?? new Set()
}

export function forgo(run: Run, member: Name, what: Forgone) {
  run.forgone.set(CombinedMember.key(member), new Set([...forgone(run, member), what]))
}

/**
 * Whether a member may have room for the conversation, after what others said of it: one with less room than a member
 * that said it is too long has not. One with the same room may: what is counted, and how, differs from host to host.
 */
export function mayHold(run: Run, member: Name, room: number) {
  if (run.tooLong.has(CombinedMember.key(member))) return false
  return [...run.tooLong.values()].every((other) => room >= other)
}

export * as CombinedRun from "./run"
