/** Called by the hook in packages/opencode/src/server/shared/ui.ts if this binary has no web UI of its own. */
import { Effect } from "effect"
import { type HttpClient, type HttpClientRequest, HttpClientResponse } from "effect/unstable/http"
import { CombinedWebUI } from "../web-ui"

/** If the site is blocked silently, a browser would otherwise show an empty page for minutes. */
const PATIENCE = "20 seconds"

/** A part of the web UI from OpenCode's site; if the site cannot be reached, a page that says so. */
export const load = (client: HttpClient.HttpClient) => (request: HttpClientRequest.HttpClientRequest) =>
  client.execute(request).pipe(
    Effect.timeout(PATIENCE),
    Effect.catch((error) => Effect.succeed(HttpClientResponse.fromWeb(request, answer(request, reasonOf(error))))),
  )

function answer(request: HttpClientRequest.HttpClientRequest, reason: string) {
  const missing = { site: new URL(request.url).origin, reason }
  const browser = request.headers["accept"]?.includes("text/html")
  return new Response(browser ? CombinedWebUI.page(missing) : CombinedWebUI.text(missing), {
    status: 503,
    headers: { "content-type": `text/${browser ? "html" : "plain"}; charset=utf-8`, "cache-control": "no-store" },
  })
}

/** The HTTP client's own message only names the address, so the cause is used. */
function reasonOf(error: { readonly _tag: string; readonly message: string; readonly reason?: { cause?: unknown } }) {
  if (error._tag === "TimeoutError") return `No answer in ${PATIENCE}.`
  return error.reason?.cause instanceof Error ? error.reason.cause.message : error.message
}

export * as CombinedUI from "./ui"
