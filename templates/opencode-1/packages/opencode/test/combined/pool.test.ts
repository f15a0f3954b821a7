import { expect, test } from "bun:test"
import { CombinedPool } from "@/combined/host/pool"
import { CombinedCredentials } from "@/combined/provider/credentials"
import { CombinedSettings } from "@/combined/settings"

const members = [
  { providerID: "pool-first", modelID: "glm" },
  { providerID: "pool-second", modelID: "glm" },
]

/** The pool of a process that has loaded the first provider with this key. */
const look = (key: string) =>
  CombinedPool.look({
    settings: CombinedSettings.failover({}),
    credentials: (id) => (id === "pool-first" ? CombinedCredentials.fingerprint({ id, key, options: {} }) : undefined),
  })

test("a new key ends a cooldown for credentials at once, and the old one does not", () => {
  look("old").fail(members[0], { kind: "auth", scope: "provider", message: "revoked" }, Date.now())
  expect(look("old").first(members)).toBe(members[1])
  expect(look("new").first(members)).toBe(members[0])
})
