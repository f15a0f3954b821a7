/**
 * Upstream's services needed to resolve a combined model. Not in model.ts: that and upstream's own file import each
 * other, and upstream's file needs the services while it loads.
 */
import { Form } from "../../form"
import { SessionStore } from "../../session/store"
import { AgentV2 } from "./upstream/agent"

export const nodes = [AgentV2.node, Form.node, SessionStore.node] as const

export * as CombinedRunnerServices from "./services"
