/** What runs `opencode2 combined` and its commands; each is loaded when it is called. */
export const handlers = {
  $: () => import("./list"),
  list: () => import("./list"),
  health: () => import("./health"),
  check: () => import("./check"),
  attempts: () => import("./attempts"),
}

export * as CombinedCommand from "./handlers"
