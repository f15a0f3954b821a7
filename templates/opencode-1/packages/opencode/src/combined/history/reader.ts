/** The model that a history is for. */
import type { Provider } from "@/provider/provider"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { identify } from "../identity/grouping"

export type Reader = {
  readonly model: Provider.Model
  /** Whether it has refused parts of the history. */
  readonly refused: boolean
}

/** Whether the reader is the model that gave this answer, at whatever provider. */
export function isSameModel(info: SessionV1.Assistant, { model }: Reader) {
  const key = (providerID: string, modelID: string) => identify({ providerID, modelID, name: "" }).key
  return key(info.providerID, info.modelID) === key(model.providerID, model.id)
}

export * as CombinedReader from "./reader"
