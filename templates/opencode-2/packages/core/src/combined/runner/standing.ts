/**
 * What stays of a message when its step starts again. Upstream keeps all of it, since it only starts a step again that
 * has said nothing. Pure, and without imports: the screen uses it as well.
 */

type Part = {
  readonly type: string
  readonly executed?: boolean
  readonly state?: { readonly status?: unknown } | Readonly<Record<string, unknown>>
}

/** Finished tools of ours, and what is before the last of them. */
export function of<Content extends Part>(content: readonly Content[]): Content[] {
  const last = content.findLastIndex(isFinished)
  return content.filter((part, index) => index <= last && (part.type !== "tool" || isFinished(part)))
}

/** A tool that the provider ran itself is part of its answer. */
function isFinished(part: Part) {
  if (part.type !== "tool" || part.executed === true) return false
  return part.state?.status === "completed" || part.state?.status === "error"
}

export * as CombinedRunnerStanding from "./standing"
