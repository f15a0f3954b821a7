/**
 * What was asked for one answer, and what came of it. Pure: a change makes a new value.
 *
 * An answer begins with the first request for it and ends when a member has given it. Whatever is done again, by whomever,
 * is done for the same answer. Who may be asked how often is decided in turn/decide.ts.
 */
import type { Failure } from "../failure/classify"
import { CombinedMember, type Name } from "../member"

export type Failed = Name & {
  readonly message: string
  /** What the answer lacked, where it came to its end. */
  readonly lacks?: string
}

/** A member whose failure no rule knows. Whether it is to blame shows when another one is asked the same. */
export type Suspect = Name & { readonly failure: Failure; readonly error?: unknown }

export type Answer = {
  /** What failed, the first failure first. */
  readonly failures: readonly Failed[]
  /** How often each member was asked and left without an answer, by its key. */
  readonly left: ReadonlyMap<string, number>
  /** How often a step ended behind a member's finished tools by a failure for which it is not left, by its key. */
  readonly closed: ReadonlyMap<string, number>
  /** How often each member was asked again in place, by its key. */
  readonly repeats: ReadonlyMap<string, number>
  /** How often all were unavailable and one was waited for. */
  readonly waits: number
  /** How often another member was chosen before anything was sent. */
  readonly rechosen: number
  /** Keys of the members that were left for their silence. */
  readonly silent: ReadonlySet<string>
  readonly suspects: readonly Suspect[]
  /** Whether the conversation was compacted for it. */
  readonly compacted: boolean
}

export const FRESH: Answer = {
  failures: [],
  left: new Map(),
  closed: new Map(),
  repeats: new Map(),
  waits: 0,
  rechosen: 0,
  silent: new Set(),
  suspects: [],
  compacted: false,
}

/** The answer after a member was asked for it and failed to give it. */
export function leave(
  answer: Answer,
  member: Name,
  what: {
    readonly message: string
    readonly lacks?: string
    readonly silent?: boolean
    readonly suspect?: Pick<Suspect, "failure" | "error">
  },
): Answer {
  const key = CombinedMember.key(member)
  return {
    ...remember(answer, member, what),
    left: counted(answer.left, key),
    silent: what.silent ? new Set([...answer.silent, key]) : answer.silent,
    suspects: what.suspect ? [...answer.suspects, { ...name(member), ...what.suspect }] : answer.suspects,
  }
}

/** The answer after a member failed behind finished tools, and not in a way for which another one is asked. */
export function close(answer: Answer, member: Name, what: { readonly message: string }): Answer {
  return { ...remember(answer, member, what), closed: counted(answer.closed, CombinedMember.key(member)) }
}

/** The answer after a member failed to give it and is asked again in place. */
export function repeat(answer: Answer, member: Name, what: { readonly message: string }): Answer {
  return { ...remember(answer, member, what), repeats: counted(answer.repeats, CombinedMember.key(member)) }
}

export function wait(answer: Answer): Answer {
  return { ...answer, waits: answer.waits + 1 }
}

export function rechoose(answer: Answer): Answer {
  return { ...answer, rechosen: answer.rechosen + 1 }
}

export function compact(answer: Answer): Answer {
  return { ...answer, compacted: true }
}

function remember(
  answer: Answer,
  member: Name,
  { message, lacks }: { readonly message: string; readonly lacks?: string },
): Answer {
  return { ...answer, failures: [...answer.failures, { ...name(member), message, ...(lacks && { lacks }) }] }
}

function counted(counts: ReadonlyMap<string, number>, key: string) {
  return new Map(counts).set(key, (counts.get(key) ?? 0) + 1)
}

const name = ({ providerID, modelID }: Name) => ({ providerID, modelID })

export * as CombinedAnswer from "./answer"
