/** Upstream's agents, up to v2.0.0. */
export { AgentV2 } from "../../../agent"
