/** Upstream's services that a combined model is resolved with. Apart from model.ts, which upstream's own file imports. */
import { Form } from "../../form"
import { SessionStore } from "../../session/store"
import { AgentV2 } from "./upstream/agent"

export const nodes = [AgentV2.node, Form.node, SessionStore.node] as const

export * as CombinedRunnerServices from "./services"
