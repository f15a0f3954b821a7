import { expect, test } from "bun:test"
import { CombinedProgress } from "@/combined/driver/progress"
import { CombinedWaiting } from "@/combined/driver/waiting"

test("a server that runs for months keeps a bounded number of records, and drops the oldest", () => {
  CombinedProgress.of("msg_oldest").retracted = 7
  for (const number of Array.from({ length: 1000 }).keys()) CombinedProgress.of(`msg_${number}`).retracted = 1
  expect([CombinedProgress.retractions("msg_oldest"), CombinedProgress.retractions("msg_0")]).toEqual([0, 1])
})

test("an answer gives a turn its patience back", () => {
  const record = CombinedProgress.of("msg_waiting")
  record.waits = 2
  expect(CombinedWaiting.patience("msg_waiting")).toBe(60_000)
  record.waits = 3
  expect(CombinedWaiting.patience("msg_waiting")).toBe(0)
  CombinedProgress.answered("msg_waiting")
  expect(CombinedWaiting.patience("msg_waiting")).toBe(60_000)
})
