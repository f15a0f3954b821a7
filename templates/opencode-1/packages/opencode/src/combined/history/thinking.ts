/** What the driver asks of a history until it acts on `CombinedFailure.fault`. */
import { CombinedFailure } from "../failure/classify"

export { silence } from "./claude"

export function isRefusal(text: string) {
  return CombinedFailure.fault({ message: text, statusCode: 400 }).kind === "history"
}

export * as CombinedThinking from "./thinking"
