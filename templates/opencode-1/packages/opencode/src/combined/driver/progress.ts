/** How the answer to a user's message goes, over all the attempts at it. Kept by this process while the turn lasts. */
import { Effect } from "effect"
import type { CombinedRoute } from "../provider/route"
import { CombinedMember } from "../member"

export type Failed = { readonly provider: string; readonly member: string; readonly message: string }

export type Progress = {
  /** What failed since the last answer, the first failure first. */
  failures: Failed[]
  /** How often each member was left, and how often all were out and one was waited for, since the last answer. */
  left: Map<string, number>
  waits: number
  /** Members that were left for their silence since the last answer. */
  silent: Set<string>
  /** Attempts that were taken back. They are not steps of the agent. */
  retracted: number
  /** A member with no more room than this, in tokens, was too small for the conversation. */
  outgrown: number
  /** Members that refused the thinking of another one; they are asked without. */
  readonly unthinking: Set<string>
  /** Gives back what the present attempt holds of its member, for one that never comes to be made. */
  release: Effect.Effect<void>
}

const records = new Map<string, Progress>()

/** They are small and end with the process; this only bounds a server that runs for months. */
const MOST_RECORDS = 1000

const fresh = (): Progress => ({
  failures: [],
  left: new Map(),
  waits: 0,
  silent: new Set(),
  retracted: 0,
  outgrown: -1,
  unthinking: new Set(),
  release: Effect.void,
})

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
  record.left = new Map()
  record.waits = 0
  record.silent = new Set()
}

/** The first failure first: a later one must not hide what went wrong. Members that were out before come after. */
export function exhausted(id: string, list: readonly Failed[], next: Extract<CombinedRoute.Next, { type: "wait" }>) {
  const earlier = next.out.map((item) => ({
    member: CombinedMember.key(item.member),
    message: item.cooldown.message,
  }))
  const all = [...list, ...earlier]
  const [first] = next.out
  return [
    `No provider of ${id} can answer now.`,
    ...all
      .filter((item, index) => all.findIndex((other) => other.member === item.member) === index)
      .map((item) => `${item.member}: ${item.message}`),
    ...(first
      ? [`${first.member.providerID} is the first to return, at ${new Date(first.cooldown.until).toISOString()}.`]
      : []),
  ].join("\n")
}

export * as CombinedProgress from "./progress"
