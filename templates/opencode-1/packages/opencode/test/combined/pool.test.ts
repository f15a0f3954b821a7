import { expect, test } from "bun:test"
import { CombinedPool } from "@/combined/provider/pool"
import { CombinedSettings } from "@/combined/settings"
import type { Provider } from "@/provider/provider"

const members = [
  { providerID: "pool-first", modelID: "glm" },
  { providerID: "pool-second", modelID: "glm" },
]

/** The pool of a process that has loaded the first provider with this key. */
const look = (key: string) =>
  CombinedPool.look({
    settings: CombinedSettings.failover({}),
    providers: { "pool-first": { id: "pool-first", key, options: {} } as Provider.Info },
  })

test("a new key ends a cooldown for credentials at once, and the old one does not", () => {
  look("old").fail(members[0], { kind: "auth", scope: "provider", message: "revoked" }, Date.now())
  expect(look("old").first(members)).toBe(members[1])
  expect(look("new").first(members)).toBe(members[0])
})
