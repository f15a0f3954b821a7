/** Who answers what `Api` describes. */
import { CredentialHandler } from "./handlers/credential"

export const handlers = [
  // The small OpenCode has no others.
  CredentialHandler,
]
