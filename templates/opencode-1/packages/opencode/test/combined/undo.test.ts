import { expect, setDefaultTimeout } from "bun:test"
import { Effect } from "effect"
import { SessionRevert } from "@/session/revert"
import { Session } from "@/session/session"
import { call, cut, finish, refuse, say, stream, text, wait } from "./fake-provider"
import { combinedSession, it, served, texts, tools, written } from "./rig"

setDefaultTimeout(30_000)

/** A call that writes a word into a file, and then leaves a mark for it. */
const write = (index: number, file: string, word: string) =>
  call(index, `call_${file}`, "bash", {
    command: `echo ${word} > ${file}; touch done-${file}`,
    description: "Write a file",
  })

const content = (file: string) =>
  Effect.promise(async () => ((await Bun.file(file).exists()) ? (await Bun.file(file).text()).trim() : undefined))

const limited = refuse(429, { error: { message: "Rate limit reached" } }, { "retry-after": "3600" })

it.instance(
  "undo after a switch after a finished tool restores what both members changed, and redo brings it back",
  () =>
    Effect.gen(function* () {
      // The first member stays unavailable, however long the turn takes.
      const chat = yield* combinedSession({ combined: { cooldown: { min: 600_000 } } })
      const sessions = yield* Session.Service
      const revert = yield* SessionRevert.Service
      const files = Effect.forEach(["one", "two", "kept"], (name) => content(chat.file(name)))
      yield* Effect.promise(() => Bun.write(chat.file("one"), "before\n"))
      yield* Effect.promise(() => Bun.write(chat.file("kept"), "the user's\n"))
      chat.first.answer(
        stream(
          write(0, "one", "first"),
          wait(() => written(chat.file("done-one"))),
          cut,
        ),
      )
      chat.second.answer(stream(write(0, "two", "second"), ...finish("tool_calls")), text("done"))
      yield* chat.ask("change the files")
      expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.second, chat.ids.second])
      expect(yield* files).toEqual(["first", "second", "the user's"])

      const [asked] = yield* chat.history
      yield* revert.revert({ sessionID: chat.id, messageID: asked.info.id })
      expect(yield* files).toEqual(["before", undefined, "the user's"])
      yield* revert.unrevert({ sessionID: chat.id })
      expect(yield* files).toEqual(["first", "second", "the user's"])

      // Undo from the second member's answer on: what the first member did stays.
      const [, taken] = yield* chat.answers
      yield* revert.revert({ sessionID: chat.id, messageID: taken.info.id, partID: tools(taken.parts)[0].id })
      expect(yield* files).toEqual(["first", undefined, "the user's"])
      yield* sessions.remove(chat.id)
    }),
  { git: true },
)

it.instance(
  "undo of a step with a discarded attempt restores the files once, and leaves the previous turn alone",
  () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession({ combined: { max_attempts: 2 } })
      const sessions = yield* Session.Service
      const revert = yield* SessionRevert.Service
      const files = Effect.forEach(["one", "two"], (name) => content(chat.file(name)))
      yield* Effect.promise(() => Bun.write(chat.file("one"), "before\n"))
      chat.first.answer(stream(write(0, "one", "first"), ...finish("tool_calls")), text("done"))
      yield* chat.ask("change the first file")

      chat.first.answer(stream(say("I will cha"), cut), limited)
      chat.second.answer(stream(write(0, "two", "second"), ...finish("tool_calls")), text("done"))
      yield* chat.ask("write the second file")
      expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([[], ["done"], [], ["done"]])
      const changed = (yield* chat.answers).flatMap((item) => item.parts.filter((part) => part.type === "patch"))
      expect(changed).toHaveLength(2)

      const asked = (yield* chat.history).filter((item) => item.info.role === "user")
      yield* revert.revert({ sessionID: chat.id, messageID: asked[1].info.id })
      expect(yield* files).toEqual(["first", undefined])

      // A new message makes the undo final, and the next member is asked without what was undone.
      chat.second.answer(text("all is well"))
      yield* chat.ask("go on")
      expect(yield* files).toEqual(["first", undefined])
      expect(JSON.stringify(chat.second.asked.at(-1)?.messages)).not.toContain("write the second file")
      yield* sessions.remove(chat.id)
    }),
  { git: true },
)
