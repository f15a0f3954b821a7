// Answers one JSON request a line with one JSON line, so that a test can ask the rendered TypeScript many questions.
import { check } from "./options"
import { fits, group, identify, resolve } from "./grouping"
import { nearest } from "./nearest"

const answers: Record<string, (...given: never[]) => unknown> = { check, fits, group, identify, nearest, resolve }

for await (const line of console) {
  if (!line) break
  const { call, given } = JSON.parse(line)
  console.log(JSON.stringify(answers[call](...(given as never[]))))
}
