import { expect, test } from "bun:test"
import { Effect } from "effect"
import * as Stream from "effect/Stream"
import { CombinedPool } from "@/combined/host/pool"
import { CombinedCredentials } from "@/combined/provider/credentials"
import { CombinedSettings } from "@/combined/settings"
import { CombinedTitle } from "@/combined/whole/title"
import type { LLM } from "@/session/llm"

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

/** An answer of a model that was chosen directly, not for a combined model. */
const byHand = (providerID: string, ...events: readonly object[]) =>
  answer({ providerID, id: "another" }, false, events)

const answer = (model: { providerID: string; id: string }, small: boolean, events: readonly object[]) => {
  const send = (() => Stream.fromIterable(events)) as unknown as LLM.Interface["stream"]
  const input = { model, small, agent: { options: {} }, user: {} } as unknown as LLM.StreamInput
  return Effect.runPromise(Stream.runDrain(CombinedTitle.wrap(send)(input)) as Effect.Effect<void>)
}

test("an answer of the provider's own model, chosen by hand, ends its cooldown; a broken one does not", async () => {
  const pool = look("old")
  const before = Date.now() - 1000
  pool.fail(members[1], { kind: "quota", scope: "provider", message: "spent" }, before)
  await Bun.sleep(2)
  await byHand("pool-second", { type: "step-finish", reason: "unknown", index: 0 })
  await byHand("pool-third", { type: "step-finish", reason: "stop", index: 0 })
  expect(pool.cooling(members[1])).toMatchObject({ kind: "quota" })
  await byHand("pool-second", { type: "step-finish", reason: "stop", index: 0 })
  expect(pool.cooling(members[1])).toBeUndefined()
})

test("so does a title that the provider's small model has given", async () => {
  const pool = look("old")
  pool.fail(members[1], { kind: "quota", scope: "provider", message: "spent" }, Date.now() - 1000)
  await Bun.sleep(2)
  await answer({ providerID: "pool-second", id: "small" }, true, [{ type: "step-finish", reason: "stop", index: 0 }])
  expect(pool.cooling(members[1])).toBeUndefined()
})
