/**
 * One run of a session's loop: from the user's message until the model is done, with all the answers that this takes.
 *
 * It ends with the loop: the host keeps it with whatever runs the loop.
 */
import type { Forgone } from "../failure/classify"
import { CombinedMember, type Name } from "../member"
import type { Steer } from "./steer"
import { CombinedAnswer, type Answer } from "./answer"

export type Run = {
  /** The current answer. */
  answer: Answer
  /** Discarded attempts. They do not count as steps of the agent. */
  retracted: number
  /** The parts of the history that members have refused. These members are asked without them. */
  readonly forgone: Map<string, Set<Forgone>>
  /** Members that said the conversation is too long, and the room that they have, in tokens. */
  readonly tooLong: Map<string, number>
  /** What the user wants in the session, as last read. */
  steer: Steer
  /** Whether a member holds a prompt cache of the session. If this is unknown, no member does. */
  warm?: (member: Name) => boolean
}

export function make(): Run {
  return { answer: CombinedAnswer.FRESH, retracted: 0, forgone: new Map(), tooLong: new Map(), steer: {} }
}

/** The parts of the history that this member refused. */
export function forgone(run: Run | undefined, member: Name): ReadonlySet<Forgone> {
  return run?.forgone.get(CombinedMember.key(member)) ?? new Set()
}

export function forgo(run: Run, member: Name, what: Forgone) {
  run.forgone.set(CombinedMember.key(member), new Set([...forgone(run, member), what]))
}

/**
 * Whether a member may have room for the conversation, given what others said. It has none if it has less room than a
 * member that said it is too long. With the same room it may, since hosts count differently.
 */
export function mayHold(run: Run, member: Name, room: number) {
  if (run.tooLong.has(CombinedMember.key(member))) return false
  return [...run.tooLong.values()].every((other) => room >= other)
}

export * as CombinedRun from "./run"
