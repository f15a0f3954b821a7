import { LLMClient } from "@opencode-ai/ai"
import { makeGlobalNode } from "./app-node"

export const llmClient = makeGlobalNode({ service: LLMClient.Service, layer: LLMClient.layer })
