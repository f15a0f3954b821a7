/** Upstream's agents, as they are until v2.0.0. */
export { AgentV2 } from "../../../agent"
