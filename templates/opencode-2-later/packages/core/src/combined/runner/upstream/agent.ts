/** Upstream's agents, since v2.0.1. */
export { Agent as AgentV2 } from "../../../agent.js"
