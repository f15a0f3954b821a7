import { expect, test } from "bun:test"
import { CombinedProgress } from "@/combined/progress"

test("a server that runs for months keeps a bounded number of records, and drops the oldest", () => {
  CombinedProgress.of("msg_oldest").retracted = 7
  for (const number of Array.from({ length: 1000 }).keys()) CombinedProgress.of(`msg_${number}`).retracted = 1
  expect([CombinedProgress.retractions("msg_oldest"), CombinedProgress.retractions("msg_0")]).toEqual([0, 1])
})
