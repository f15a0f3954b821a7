import { afterEach, beforeEach, expect, test } from "bun:test"
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "fs"
import os from "os"
import path from "path"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedHealthStore } from "@/combined/health/store"
import { CombinedHealthFile } from "@/combined/host/health-file"
import { parsed } from "@/combined/value"

const NOW = 1_000_000

const place = { directory: "" }
beforeEach(() => {
  place.directory = mkdtempSync(path.join(os.tmpdir(), "combined-health-"))
})
afterEach(() => rmSync(place.directory, { recursive: true, force: true }))

const file = () => path.join(place.directory, "health.json")

/** The store as another process opens it. */
const open = (now = NOW) =>
  CombinedHealthStore.open(CombinedHealthFile.shelf(file()), (state) =>
    CombinedCooldown.current(state, now, () => undefined),
  )

const fail =
  (providerID: string, now = NOW) =>
  (state: CombinedCooldown.State) =>
    CombinedCooldown.fail(state, providerID, "glm", { kind: "rate_limit", scope: "model", message: "slow down" }, now)

const out = (store: CombinedHealthStore.Store, providerID: string) =>
  CombinedCooldown.cooling(store.read(), providerID, "glm", NOW) !== undefined

test("a cooldown is shared with other processes, and survives a restart", () => {
  const [one, other] = [open(), open()]
  expect(out(other, "acme")).toBe(false)
  one.update(fail("acme"))
  expect(out(other, "acme")).toBe(true)
  expect(out(open(), "acme")).toBe(true)
})

test("a link in the place of the temporary file is not followed", () => {
  const mine = path.join(place.directory, "mine")
  writeFileSync(mine, "mine")
  symlinkSync(mine, `${file()}.${process.pid}`)
  const store = open()
  store.update(fail("acme"))
  expect(readFileSync(mine, "utf8")).toBe("mine")
  expect(out(open(), "acme")).toBe(true)
})

test("a success of one process ends the cooldown for the others, which do not bring it back", () => {
  const [one, other] = [open(), open()]
  one.update(fail("acme"))
  expect(out(other, "acme")).toBe(true)
  other.update((state) => CombinedCooldown.succeed(state, "acme", "glm", NOW + 1))
  const later = CombinedHealthStore.open(CombinedHealthFile.shelf(file()), (state) =>
    CombinedCooldown.current(state, NOW + 1, () => undefined),
  )
  expect([out(one, "acme"), out(later, "acme")]).toEqual([false, false])
  one.update(fail("beta"))
  expect(out(open(NOW + 1), "acme")).toBe(false)
})

test("a record that another process has overwritten is restored", () => {
  const [one, other] = [open(), open()]
  one.update(fail("acme"))
  // The other process had read the file before, and now writes only what it knows.
  writeFileSync(file(), CombinedCooldown.format(fail("beta")(new Map())))
  expect([out(one, "acme"), out(one, "beta")]).toEqual([true, true])
  expect([out(other, "acme"), out(other, "beta")]).toEqual([true, true])
})

for (const [what, text] of [
  ["half a file", '{"version":1,"members":{"acme/g'],
  ["somebody else's file", "hello"],
  ["an empty file", ""],
] as const) {
  test(`${what} is ignored and replaced`, () => {
    writeFileSync(file(), text)
    const store = open()
    expect(store.read().size).toBe(0)
    store.update(fail("acme"))
    expect(CombinedCooldown.read(parsed(readFileSync(file(), "utf8"))).size).toBe(1)
    expect(out(open(), "acme")).toBe(true)
  })
}

test("deleting the file ends all cooldowns, also in running processes", () => {
  const store = open()
  store.update(fail("acme"))
  rmSync(file())
  expect(out(store, "acme")).toBe(false)
  store.update(fail("beta"))
  expect([out(open(), "acme"), out(open(), "beta")]).toEqual([false, true])
})

test("if nothing can be written the process uses what it knows, and says why", () => {
  const nowhere = path.join(place.directory, "missing", "health.json")
  const store = CombinedHealthStore.open(CombinedHealthFile.shelf(nowhere), (state) => state)
  store.update(fail("acme"))
  expect(out(store, "acme")).toBe(true)
  expect(store.problem()).toContain("ENOENT")
})

test("nothing is left beside the file, and no change writes nothing", () => {
  const store = open()
  store.update((state) => state)
  expect(readdirSync(place.directory)).toEqual([])
  store.update(fail("acme"))
  expect(readdirSync(place.directory)).toEqual(["health.json"])
})

test("records that no longer count are dropped", () => {
  open().update(fail("old"))
  const later = NOW + 3 * 24 * 3_600_000
  open(later).update(fail("acme", later))
  expect([...CombinedCooldown.read(parsed(readFileSync(file(), "utf8"))).keys()]).toEqual(["acme/glm"])
})

test("processes that fail simultaneously do not lose each other's records", async () => {
  const writer = path.join(import.meta.dir, "health-writer.ts")
  const names = ["acme", "beta", "gamma", "delta", "epsilon", "zeta"]
  const started = names.map((name) => Bun.spawn([process.execPath, writer, file(), name, "10"], { stdout: "inherit" }))
  expect(await Promise.all(started.map((item) => item.exited))).toEqual(names.map(() => 0))
  const known = CombinedCooldown.read(parsed(readFileSync(file(), "utf8")))
  for (const name of names) for (let index = 0; index < 10; index++) expect(known.has(`${name}/${index}`)).toBe(true)
  expect(readdirSync(place.directory)).toEqual(["health.json"])
}, 120_000)

test.skipIf(process.platform === "win32")("what somebody else has put in its place is not believed", () => {
  const known = open()
  known.update(fail("acme"))
  const text = readFileSync(file(), "utf8")
  const elsewhere = path.join(place.directory, "elsewhere.json")
  writeFileSync(elsewhere, text)
  const planted: (() => unknown)[] = [
    () => symlinkSync(elsewhere, file()),
    () => Bun.spawnSync(["mkfifo", file()]),
    () => writeFileSync(file(), " ".repeat(5_000_000) + text),
  ]
  // Only root can give a file to another user.
  if (process.getuid?.() === 0) planted.push(() => (writeFileSync(file(), text), chownSync(file(), 12345, 12345)))
  for (const plant of planted) {
    rmSync(file())
    plant()
    expect(out(open(), "acme")).toBe(false)
    // Our file takes its place, and nothing is written through a link.
    open().update(fail("beta"))
    expect(lstatSync(file()).isFile()).toBe(true)
    expect(out(open(), "beta")).toBe(true)
    expect(readFileSync(elsewhere, "utf8")).toBe(text)
  }
})

test("a lock left by a dead process blocks nobody", () => {
  mkdirSync(`${file()}.lock`)
  utimesSync(`${file()}.lock`, new Date(0), new Date(0))
  open().update(fail("acme"))
  expect(readdirSync(place.directory)).toEqual(["health.json"])
})

test("nobody waits while another process writes: a change applies at once, and is written a moment later", async () => {
  mkdirSync(`${file()}.lock`)
  const store = open()
  store.update(fail("acme"))
  expect(out(store, "acme")).toBe(true)
  expect(readdirSync(place.directory)).toEqual(["health.json.lock"])
  rmdirSync(`${file()}.lock`)
  while (!out(open(), "acme")) await Bun.sleep(1)
  expect(readdirSync(place.directory)).toEqual(["health.json"])
})
