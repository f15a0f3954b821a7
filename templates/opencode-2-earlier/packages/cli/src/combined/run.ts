/** Called by the hooks in `opencode2 run`: steers its session, and says which member answers. */
import { Service, type Endpoint } from "@opencode-ai/client/effect/service"
import { CombinedSteer } from "@opencode-ai/core/combined/choice/steer"
import { CombinedMember } from "@opencode-ai/core/combined/member"
import { CombinedNotice } from "@opencode-ai/core/combined/turn/notice"
import { isObject } from "@opencode-ai/core/combined/value"
import type { CombinedHappening } from "@opencode-ai/core/combined/view/happening"

/** Steers the session; returns why something was refused. */
export async function steer(
  endpoint: Endpoint,
  sessionID: string,
  wishes: readonly CombinedSteer.Wish[] = [],
): Promise<string | undefined> {
  const headers = { ...Service.headers(endpoint), "Content-Type": "application/json" }
  for (const { what, body } of wishes) {
    const address = new URL(`/combined/session/${sessionID}/${what}`, endpoint.url)
    const response = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) })
    if (response.ok) continue
    if (response.status === 404 && !response.headers.get("content-type")?.includes("json"))
      return `The server at ${endpoint.url} has no combined models: another OpenCode runs there.`
    const said: unknown = await response.json().catch(() => undefined)
    return isObject(said) && typeof said.message === "string" ? said.message : `--${what} was refused`
  }
  return undefined
}

type Event = { readonly type: string; readonly data: unknown }

/** What happened to the members, if the event is about that. Upstream's types do not know this event. */
export function happened({ type, data }: Event): CombinedHappening.Happening | undefined {
  return type === "combined.switched" ? (data as CombinedHappening.Happening) : undefined
}

/** The line that `run` prints for it, in the same words as OpenCode 1. */
export const line = ({ action, message }: CombinedHappening.Happening) =>
  action === "moved" ? `${CombinedNotice.SWITCH}${message}` : message

type Ref = { readonly providerID: string; readonly id: string }

/**
 * The lines that name the model of a step. A step of a combined model starts once per attempt; its line is only printed
 * if the member has changed.
 */
export function lines(chosen: { readonly providerID: string } | undefined) {
  const printed = { key: "" }
  return (agent: string, { providerID, id }: Ref) => {
    if (chosen?.providerID !== "combined") return `> ${agent} · ${id}`
    const key = CombinedMember.key({ providerID, modelID: id })
    if (printed.key === key) return undefined
    printed.key = key
    return `> ${agent} · ${id} (${providerID})`
  }
}

export * as CombinedRun from "./run"
