/**
 * What stays of a message when its step starts again. Upstream keeps all of it, since it only starts a step again that
 * has said nothing. Pure, and without imports: the screen uses it as well.
 */

type Part = {
  readonly type: string
  readonly executed?: boolean
  readonly state?: { readonly status?: unknown } | Readonly<Record<string, unknown>>
}

/** Tools of ours that have started, which may still run, and what is before the last of them. */
export function of<Content extends Part>(content: readonly Content[]): Content[] {
  const last = content.findLastIndex(hasStarted)
  return content.filter((part, index) => index <= last && (part.type !== "tool" || hasStarted(part)))
}

/** A tool that the provider ran itself is part of its answer. */
function hasStarted(part: Part) {
  if (part.type !== "tool" || part.executed === true) return false
  return part.state?.status !== undefined && part.state.status !== "streaming"
}

export * as CombinedRunnerStanding from "./standing"
