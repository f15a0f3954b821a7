/** How the answer to a user's message goes, over all the attempts at it. Kept by this process while the turn lasts. */
import { CombinedHealth } from "./health"
import type { CombinedOrigin } from "./origin"

export type Failed = { readonly provider: string; readonly member: string; readonly message: string }

export type Progress = {
  /** What failed since the last answer, the first failure first. */
  failures: Failed[]
  /** How often all members were out and one was waited for, since the last answer. */
  waits: number
  /** Attempts that were taken back. They are not steps of the agent. */
  retracted: number
  /** A member with no more room than this, in tokens, was too small for the conversation. */
  outgrown: number
  /** Members that refused the thinking of another one; they are asked without. */
  readonly unthinking: Set<string>
}

const records = new Map<string, Progress>()

/** They are small and end with the process; this only bounds a server that runs for months. */
const MOST_RECORDS = 1000

const fresh = (): Progress => ({ failures: [], waits: 0, retracted: 0, outgrown: -1, unthinking: new Set() })

/** The record of a user's message, to be changed. */
export function of(parentID: string): Progress {
  const known = records.get(parentID)
  if (known) return known
  const made = fresh()
  records.set(parentID, made)
  const [oldest] = records.keys()
  if (records.size > MOST_RECORDS) records.delete(oldest)
  return made
}

export function peek(parentID: string | undefined): Readonly<Progress> {
  return (parentID !== undefined && records.get(parentID)) || fresh()
}

/** Attempts that were taken back while this message was being answered. They are not steps of the agent. */
export function retractions(parentID: string) {
  return peek(parentID).retracted
}

export function answered(parentID: string) {
  const record = records.get(parentID)
  if (!record) return
  record.failures = []
  record.waits = 0
}

/** The first failure first: a later one must not hide what went wrong. Members that were out before come after. */
export function exhausted(id: string, list: readonly Failed[], next: Extract<CombinedOrigin.Next, { type: "wait" }>) {
  const earlier = next.out.map((item) => ({
    member: CombinedHealth.member(item.member.providerID, item.member.modelID),
    message: item.cooldown.message,
  }))
  const all = [...list, ...earlier]
  const [{ member, cooldown }] = next.out
  return [
    `No provider of ${id} can answer now.`,
    ...all
      .filter((item, index) => all.findIndex((other) => other.member === item.member) === index)
      .map((item) => `${item.member}: ${item.message}`),
    `${member.providerID} is the first to return, at ${new Date(cooldown.until).toISOString()}.`,
  ].join("\n")
}

export * as CombinedProgress from "./progress"
