/**
 * The error in an event inside an answer. SDKs only read what their own vendor sends and ignore the rest: Google's
 * errors, MiniMax's `base_resp`, the body of another server. Pure.
 */

/** Fields that make an event part of an answer, whatever else it contains. */
const ANSWERS = ["choices", "candidates", "delta", "content_block", "item", "output"]

export function failed(event: unknown): boolean {
  if (!isObject(event)) return false
  if (event.type === "error" || event.type === "response.failed") return true
  if (isError(event.error)) return true
  if (isObject(event.base_resp) && Number(event.base_resp.status_code ?? 0) !== 0) return true
  if (ANSWERS.some((key) => event[key] !== undefined && event[key] !== null)) return false
  // Forms that gateways use: `{"code":500,"msg":"…"}`, `{"success":false,"message":"…"}`, `{"detail":"…"}`.
  const says = [event.message, event.msg, event.detail].some((text) => typeof text === "string" && text !== "")
  const bad =
    event.success === false ||
    (event.code !== undefined && ![0, 200, "0", "200", null, ""].includes(event.code as never))
  return says && (bad || typeof event.detail === "string")
}

function isError(value: unknown) {
  return (typeof value === "string" && value !== "") || (isObject(value) && Object.keys(value).length > 0)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

export * as CombinedEvent from "./event"
