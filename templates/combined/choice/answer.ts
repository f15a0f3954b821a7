/**
 * The requests for one answer, and their results. Pure: a change makes a new value.
 *
 * An answer starts with the first request for it and ends when a member has given it. All retries, by any member, are
 * for the same answer. turn/decide.ts decides how often each member may be asked.
 */
import type { Failure } from "../failure/classify"
import { CombinedMember, type Name } from "../member"
import type { Bar } from "../money/words"

export type Failed = Name & {
  readonly message: string
  /** The class of the failure. */
  readonly kind?: string
  /** What the answer lacked, if it came to an end. */
  readonly lacks?: string
}

/** A member with an unknown failure. It is to blame if another member answers the same request. */
export type Suspect = Name & { readonly failure: Failure; readonly error?: unknown }

export type Answer = {
  /** The failures, oldest first. */
  readonly failures: readonly Failed[]
  /** How often each member was asked and abandoned without an answer, by its key. */
  readonly left: ReadonlyMap<string, number>
  /**
   * How often a member failed after its finished tools, with a failure for which it is not abandoned, by its key. Each
   * time the step was closed.
   */
  readonly closed: ReadonlyMap<string, number>
  /** How often each member was retried, by its key. */
  readonly repeats: ReadonlyMap<string, number>
  /** The waits for a member while all were unavailable, in milliseconds. */
  readonly waits: readonly number[]
  /** How often another member was chosen before anything was sent. */
  readonly rechosen: number
  /** Keys of the members that were abandoned for being silent. */
  readonly silent: ReadonlySet<string>
  readonly suspects: readonly Suspect[]
  /** Whether the conversation was compacted for it. */
  readonly compacted: boolean
  /** A member that refused the content; its model is not asked again. */
  readonly refused: Name | undefined
  /** Members that may not be asked for it, because of what it may cost. */
  readonly bars: readonly Bar[]
}

export const FRESH: Answer = {
  failures: [],
  left: new Map(),
  closed: new Map(),
  repeats: new Map(),
  waits: [],
  rechosen: 0,
  silent: new Set(),
  suspects: [],
  compacted: false,
  refused: undefined,
  bars: [],
}

/** The answer after a member was asked for it and failed to give it. */
export function leave(
  answer: Answer,
  member: Name,
  what: {
    readonly message: string
    readonly kind?: string
    readonly lacks?: string
    readonly silent?: boolean
    readonly refused?: boolean
    readonly suspect?: Pick<Suspect, "failure" | "error">
  },
): Answer {
  const key = CombinedMember.key(member)
  return {
    ...remember(answer, member, what),
    left: counted(answer.left, key),
    silent: what.silent ? new Set([...answer.silent, key]) : answer.silent,
    refused: what.refused ? name(member) : answer.refused,
    suspects: what.suspect ? [...answer.suspects, { ...name(member), ...what.suspect }] : answer.suspects,
  }
}

/** The answer after a member failed after finished tools, with a failure for which no other member is asked. */
export function close(answer: Answer, member: Name, what: { readonly message: string }): Answer {
  return { ...remember(answer, member, what), closed: counted(answer.closed, CombinedMember.key(member)) }
}

/** The answer after a member failed to give it and is retried. */
export function repeat(answer: Answer, member: Name, what: { readonly message: string }): Answer {
  return { ...remember(answer, member, what), repeats: counted(answer.repeats, CombinedMember.key(member)) }
}

export function wait(answer: Answer, wait: { readonly for: number }): Answer {
  return { ...answer, waits: [...answer.waits, wait.for] }
}

/** The answer after its last wait has ended, perhaps early. */
export function rested(answer: Answer, milliseconds: number): Answer {
  return { ...answer, waits: [...answer.waits.slice(0, -1), milliseconds] }
}

/** An answer that was still waiting when OpenCode ended, and is now continued. */
export function resumed(failures: readonly Failed[], waited: number): Answer {
  return { ...FRESH, failures, waits: [waited] }
}

/** For how many milliseconds the answer has waited in all. */
export function waited(answer: Answer) {
  return answer.waits.reduce((sum, wait) => sum + wait, 0)
}

export function rechoose(answer: Answer): Answer {
  return { ...answer, rechosen: answer.rechosen + 1 }
}

/** The answer once it is known that some members may not be asked for it, because of what it may cost. */
export function bar(answer: Answer, bars: readonly Bar[]): Answer {
  return { ...answer, bars: [...answer.bars, ...bars] }
}

export function compact(answer: Answer): Answer {
  return { ...answer, compacted: true }
}

function remember(
  answer: Answer,
  member: Name,
  { message, kind, lacks }: { readonly message: string; readonly kind?: string; readonly lacks?: string },
): Answer {
  const failed = { ...name(member), message, ...(kind && { kind }), ...(lacks && { lacks }) }
  return { ...answer, failures: [...answer.failures, failed] }
}

function counted(counts: ReadonlyMap<string, number>, key: string) {
  return new Map(counts).set(key, (counts.get(key) ?? 0) + 1)
}

const name = ({ providerID, modelID, identity }: Name) => ({ providerID, modelID, ...(identity && { identity }) })

export * as CombinedAnswer from "./answer"
