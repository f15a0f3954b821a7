/** What upstream's terminal interface is made of. The small OpenCode has none. */
import HomeFooter from "../feature-plugins/home/footer"

export const builtins = [
  // There are no others.
  HomeFooter,
]
