/** What is known of members of which nothing is known yet, for tests of the picture. */
import { CombinedSteer } from "@/combined/choice/steer"

export const NOTHING_SEEN = {
  state: new Map(),
  machine: CombinedSteer.NOTHING,
  steer: {},
  answers: [],
  asked: [],
  warm: () => false,
  windows: () => [],
}
