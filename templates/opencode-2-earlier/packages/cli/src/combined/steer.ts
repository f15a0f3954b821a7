/** Steers the session of `opencode2 run`, as its options say. */
import { Service, type Endpoint } from "@opencode-ai/client/effect/service"
import { CombinedSteer } from "@opencode-ai/core/combined/choice/steer"
import { isObject } from "@opencode-ai/core/combined/value"

/** Returns why something was refused. */
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

export * as CombinedRunSteering from "./steer"
