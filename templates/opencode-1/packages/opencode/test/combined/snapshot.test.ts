import { expect, test } from "bun:test"
import { Effect } from "effect"
import { CombinedSnapshot } from "@/combined/driver/snapshot"
import { SessionID } from "@/session/schema"

const session = SessionID.make("ses_snapshot")

const begin = () => Effect.runPromise(CombinedSnapshot.begin(session, Effect.succeed("taken anew")))

test("a snapshot of a moment ago serves once more, and only once", async () => {
  CombinedSnapshot.keep(session, "kept", Date.now() - 100)
  expect([await begin(), await begin()]).toEqual(["kept", "taken anew"])
})

test("one that is kept again and again grows no younger", async () => {
  CombinedSnapshot.keep(session, "kept", Date.now() - 4_800)
  expect(await begin()).toBe("kept")
  CombinedSnapshot.keep(session, "kept", Date.now())
  await Bun.sleep(300)
  expect(await begin()).toBe("taken anew")
})

for (const [what, at] of [
  ["an old one", -10_000],
  ["one of the future, as after a clock was set back", 60_000],
] as const) {
  test(`${what} does not serve`, async () => {
    CombinedSnapshot.keep(session, "kept", Date.now() + at)
    expect(await begin()).toBe("taken anew")
  })
}

test("where snapshots are switched off there is none to keep", async () => {
  CombinedSnapshot.keep(session, undefined, Date.now())
  expect(await begin()).toBe("taken anew")
})
