import { expect, setDefaultTimeout } from "bun:test"
import { Effect, Fiber } from "effect"
import { Permission } from "@/permission"
import { SessionPrompt } from "@/session/prompt"
import { SessionRevert } from "@/session/revert"
import { Session } from "@/session/session"
import { pollWithTimeout } from "../lib/effect"
import { call, callText, cut, event, finish, gate, refuse, say, stream, text, think, wait } from "./fake-provider"
import { ANSWER, combinedSession, it, open, served, texts, tools, written } from "./rig"

setDefaultTimeout(30_000)

/** Each run of this command leaves a line. Once the file exists, the first run has happened. */
const once = (word = "ran") => ({ command: `echo ${word} >> ${word}`, description: "Leave a line" })

/** Whether there is a process with this id. */
const runs = (id: number) => {
  try {
    return process.kill(id, 0)
  } catch {
    return false
  }
}

const lines = (file: string) =>
  Effect.promise(async () =>
    (await Bun.file(file).exists()) ? (await Bun.file(file).text()).split("\n").filter(Boolean) : [],
  )

it.instance("a tool that finished before the connection broke runs once, and the next provider gets its result", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      stream(
        say("I look it up."),
        call(0, "call_one", "bash", { command: "echo ran >> ran; echo forty-two", description: "Look it up" }),
        wait(() => written(chat.file("ran"))),
        cut,
      ),
    )
    chat.second.answer(text("It is forty-two."))
    yield* chat.ask("what is it?")

    expect(yield* lines(chat.file("ran"))).toEqual(["ran"])
    const [asked] = chat.second.asked
    expect(JSON.stringify(asked.messages.find((item) => item.role === "tool"))).toContain("forty-two")
    expect(asked.messages.filter((item) => item.role === "tool").map((item) => item.tool_call_id)).toEqual(["call_one"])

    const answers = yield* chat.answers
    expect(served(answers)).toEqual([chat.ids.first, chat.ids.second])
    expect(tools(answers[0].parts).map((part) => part.state.status)).toEqual(["completed"])
    expect(texts(answers[0].parts)).toEqual(["I look it up."])
    expect(answers[0].info.finish).toBe("tool-calls")
    expect(answers[0].parts.filter((part) => part.type === "step-finish")).toHaveLength(1)
    expect(texts(answers[1].parts)).toEqual(["It is forty-two."])
    expect(answers.flatMap((item) => open(item.parts))).toEqual([])
    expect(answers.map((item) => item.info.error)).toEqual([undefined, undefined])
  }),
)

it.instance("text after a finished tool is dropped, so that it does not appear twice", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const door = gate()
    chat.first.answer(
      stream(
        call(0, "call_one", "bash", once()),
        wait(() => written(chat.file("ran"))),
        think("so that is"),
        say("half an ans"),
        door.wait,
        cut,
      ),
    )
    chat.second.answer(text("the whole answer"))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* chat.holds((part) => part.type === "text")
    yield* door.open
    yield* Fiber.join(turn)

    const answers = yield* chat.answers
    expect(answers.flatMap((item) => texts(item.parts))).toEqual(["the whole answer"])
    expect(answers.flatMap((item) => item.parts).some((part) => part.type === "reasoning")).toBe(false)
    expect(yield* lines(chat.file("ran"))).toEqual(["ran"])
  }),
)

it.instance("a tool that is running when the connection breaks finishes and is kept", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      stream(
        call(0, "call_slow", "bash", {
          command: "touch started; sleep 0.5; echo ran >> ran; echo at last",
          description: "Take a while",
        }),
        wait(() => written(chat.file("started"))),
        cut,
      ),
    )
    chat.second.answer(text("done"))
    yield* chat.ask("hello")

    expect(yield* lines(chat.file("ran"))).toEqual(["ran"])
    expect(JSON.stringify(chat.second.asked[0].messages.find((item) => item.role === "tool"))).toContain("at last")
    const answers = yield* chat.answers
    expect(tools(answers[0].parts).map((part) => part.state.status)).toEqual(["completed"])
    expect(answers.flatMap((item) => open(item.parts))).toEqual([])
  }),
)

it.instance("a tool that failed before the connection broke is kept with its error", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const door = gate()
    chat.first.answer(stream(call(0, "call_one", "read", { filePath: chat.file("no such file") }), door.wait, cut))
    chat.second.answer(text("there is no such file"))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* chat.holds((part) => part.type === "tool" && part.state.status === "error")
    yield* door.open
    yield* Fiber.join(turn)

    expect(tools((yield* chat.answers)[0].parts).map((part) => part.state.status)).toEqual(["error"])
    expect(JSON.stringify(chat.second.asked[0].messages.find((item) => item.role === "tool"))).toContain("no such file")
  }),
)

it.instance("of parallel tools the finished one stays, and one with incomplete input is removed", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const door = gate()
    chat.first.answer(
      stream(
        call(0, "call_one", "bash", once("one")),
        wait(() => written(chat.file("one"))),
        callText(1, "call_two", "bash", '{"command": "echo two >'),
        door.wait,
        cut,
      ),
    )
    chat.second.answer(stream(call(0, "call_three", "bash", once("two")), ...finish("tool_calls")), text("done"))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* chat.holds((part) => part.type === "tool" && part.callID === "call_two")
    yield* door.open
    yield* Fiber.join(turn)

    expect(yield* lines(chat.file("one"))).toEqual(["one"])
    expect(yield* lines(chat.file("two"))).toEqual(["two"])
    expect(JSON.stringify(chat.second.asked[0].messages)).not.toContain("call_two")
    const answers = yield* chat.answers
    expect(answers.flatMap((item) => tools(item.parts)).map((part) => [part.callID, part.state.status])).toEqual([
      ["call_one", "completed"],
      ["call_three", "completed"],
    ])
  }),
)

it.instance("parallel tools that all started are all kept, however late they end", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const late = (name: string, seconds: number) => ({
      command: `touch ${name}-started; sleep ${seconds}; echo ${name} >> ${name}`,
      description: "Take a while",
    })
    chat.first.answer(
      stream(
        call(0, "call_one", "bash", late("one", 0.3)),
        call(1, "call_two", "bash", late("two", 0.5)),
        wait(() => Promise.all([written(chat.file("one-started")), written(chat.file("two-started"))])),
        cut,
      ),
    )
    chat.second.answer(text("done"))
    yield* chat.ask("hello")

    expect(yield* lines(chat.file("one"))).toEqual(["one"])
    expect(yield* lines(chat.file("two"))).toEqual(["two"])
    const ids = chat.second.asked[0].messages.flatMap((item) => (item.role === "tool" ? [item.tool_call_id] : []))
    expect(new Set(ids)).toEqual(new Set(["call_one", "call_two"]))
    expect(ids).toHaveLength(2)
  }),
)

it.instance("incomplete tool input is discarded with everything else", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const door = gate()
    chat.first.answer(stream(say("I look"), callText(0, "call_one", "bash", '{"command": "echo ran >'), door.wait, cut))
    chat.second.answer(text("done"))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* chat.holds((part) => part.type === "tool")
    yield* door.open
    yield* Fiber.join(turn)

    const answers = yield* chat.answers
    expect(answers).toHaveLength(1)
    expect(texts(answers[0].parts)).toEqual(["done"])
    expect(chat.second.asked[0].messages.some((item) => item.role === "tool")).toBe(false)
  }),
)

it.instance("tool input at which the connection just ends is discarded too", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(callText(0, "call_one", "bash", '{"command": "echo ran >')))
    chat.second.answer(text("done"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).flatMap((item) => tools(item.parts))).toEqual([])
    expect(JSON.stringify(chat.second.asked[0].messages)).not.toContain("call_one")
  }),
)

it.instance("a call without input when the connection just ends is not a call", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const input = { command: "echo one >> one", description: "Leave a mark" }
    chat.first.answer(stream(call(0, "call_one", "bash", input), callText(1, "call_two", "bash", "")))
    chat.second.answer(text("done"))
    yield* chat.ask("hello")

    const answers = yield* chat.answers
    expect(answers.flatMap((item) => tools(item.parts)).map((part) => [part.callID, part.state.status])).toEqual([
      ["call_one", "completed"],
    ])
    expect(served(answers)).toEqual([chat.ids.first, chat.ids.second])
  }),
)

it.instance("a tool may be called with nothing at all", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      stream(callText(0, "call_one", "bash", ""), ...finish("tool_calls")),
      text("so it needs a command"),
    )
    yield* chat.ask("hello")

    const [step] = yield* chat.answers
    expect(tools(step.parts).map((part) => [part.tool, part.state.status])).toEqual([["bash", "error"]])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([2, 0])
  }),
)

it.instance("a connection that just ends after a finished tool keeps it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      stream(
        call(0, "call_one", "bash", once()),
        wait(() => written(chat.file("ran"))),
      ),
    )
    chat.second.answer(text("done"))
    yield* chat.ask("hello")

    expect(yield* lines(chat.file("ran"))).toEqual(["ran"])
    expect(chat.second.asked[0].messages.some((item) => item.tool_call_id === "call_one")).toBe(true)
    expect((yield* chat.answers).flatMap((item) => texts(item.parts))).toEqual(["done"])
  }),
)

it.instance("a finished step is never repeated when a later one fails", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      stream(call(0, "call_one", "bash", once()), ...finish("tool_calls")),
      refuse(503, { error: { message: "Service unavailable" } }),
    )
    chat.second.answer(text("done"))
    yield* chat.ask("hello")

    expect(yield* lines(chat.file("ran"))).toEqual(["ran"])
    expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.second])
  }),
)

it.instance("an error event after a finished tool keeps it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      stream(
        call(0, "call_one", "bash", once()),
        wait(() => written(chat.file("ran"))),
        event({ error: { message: "Overloaded", type: "overloaded_error" } }),
      ),
    )
    chat.second.answer(text("done"))
    yield* chat.ask("hello")

    expect(yield* lines(chat.file("ran"))).toEqual(["ran"])
    expect(chat.second.asked[0].messages.some((item) => item.tool_call_id === "call_one")).toBe(true)
  }),
)

const pendingPermission = Effect.gen(function* () {
  const permission = yield* Permission.Service
  return yield* pollWithTimeout(
    permission.list().pipe(Effect.map((list) => list[0])),
    "nobody asked for permission",
    "10 seconds",
  )
})

it.instance("a permission that is pending when the connection breaks still counts when it is given", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ permission: "ask" })
    const permission = yield* Permission.Service
    const door = gate()
    chat.first.answer(stream(call(0, "call_one", "bash", once()), door.wait, cut))
    chat.second.answer(text("done"))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    const request = yield* pendingPermission
    yield* door.open
    yield* Effect.sleep("100 millis")
    expect(chat.second.asked).toHaveLength(0)
    yield* permission.reply({ requestID: request.id, reply: "once" })
    yield* Fiber.join(turn)

    expect(yield* lines(chat.file("ran"))).toEqual(["ran"])
    expect(chat.second.asked[0].messages.some((item) => item.tool_call_id === "call_one")).toBe(true)
  }),
)

it.instance("a loop of calls that the user's rule forbids ends the turn, without blaming a provider", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ config: { permission: { doom_loop: "deny" } } })
    const same = { command: "echo ran >> ran", description: "Leave a line" }
    const door = gate()
    chat.first.answer(
      stream(
        call(0, "call_one", "bash", same),
        call(1, "call_two", "bash", same),
        call(2, "call_three", "bash", same),
        door.wait,
        ...finish("tool-calls"),
      ),
    )
    yield* chat.ask("hello").pipe(Effect.ensuring(door.open))

    expect(chat.second.asked).toHaveLength(0)
    const list = yield* chat.answers
    expect(served(list)).toEqual([chat.ids.first])
    expect(JSON.stringify(list[0].info.error)).toContain("specified a rule which prevents you")
    chat.first.answer(text("still preferred"))
    yield* chat.ask("again")
    expect(texts((yield* chat.answers).at(-1)!.parts)).toEqual(["still preferred"])
  }),
)

it.instance("a permission that is refused after the connection broke ends the turn, as usual", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ permission: "ask" })
    const permission = yield* Permission.Service
    const door = gate()
    chat.first.answer(stream(call(0, "call_one", "bash", once()), door.wait, cut))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    const request = yield* pendingPermission
    yield* door.open
    yield* Effect.sleep("100 millis")
    yield* permission.reply({ requestID: request.id, reply: "reject" })
    yield* Fiber.join(turn)

    expect(yield* lines(chat.file("ran"))).toEqual([])
    expect(chat.second.asked).toHaveLength(0)
    const [answer] = yield* chat.answers
    expect(tools(answer.parts).map((part) => part.state.status)).toEqual(["error"])
    expect(open(answer.parts)).toEqual([])
  }),
)

it.instance(
  "undo restores a file that a tool changed before the connection broke",
  () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession()
      const sessions = yield* Session.Service
      const revert = yield* SessionRevert.Service
      yield* Effect.promise(() => Bun.write(chat.file("note"), "before\n"))
      chat.first.answer(
        stream(
          call(0, "call_one", "bash", { command: "echo after > note; touch ran", description: "Change the note" }),
          wait(() => written(chat.file("ran"))),
          cut,
        ),
      )
      chat.second.answer(text("done"))
      yield* chat.ask("change the note")
      expect(yield* lines(chat.file("note"))).toEqual(["after"])

      const [asked] = yield* chat.history
      yield* revert.revert({ sessionID: chat.id, messageID: asked.info.id })
      expect(yield* lines(chat.file("note"))).toEqual(["before"])
      yield* sessions.remove(chat.id)
    }),
  { git: true },
)

it.instance("after an empty answer instead of a structured one the next member is asked", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(...finish("stop")))
    chat.second.answer(stream(call(0, "call_one", "StructuredOutput", { answer: 42 }), ...finish("tool_calls")))
    const result = yield* chat.ask("hello", {
      format: ANSWER,
    })

    expect(result.info.role === "assistant" ? result.info.structured : undefined).toEqual({ answer: 42 })
    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
  }),
)

it.instance("a structured answer before the connection broke is the turn's result", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      stream(
        call(0, "call_one", "StructuredOutput", { answer: 42 }),
        wait(() => Bun.sleep(300)),
        cut,
      ),
    )
    chat.second.answer(stream(call(0, "call_two", "StructuredOutput", { answer: 43 }), ...finish("tool_calls")))
    const result = yield* chat.ask("hello", {
      format: ANSWER,
    })

    expect(result.info.role === "assistant" ? result.info.structured : undefined).toEqual({ answer: 42 })
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("the user's cancel while a tool is still running after a break ends the tool and the turn", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    chat.first.answer(
      stream(
        call(0, "call_slow", "bash", {
          command: "echo $$ > process; touch started; sleep 60; echo ran >> ran",
          description: "Take long",
        }),
        wait(() => written(chat.file("started"))),
        cut,
      ),
    )
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* Effect.promise(() => written(chat.file("started")))
    yield* Effect.sleep("200 millis")
    yield* prompt.cancel(chat.id)
    yield* Fiber.await(turn)

    const answers = yield* chat.answers
    expect(answers.flatMap((item) => open(item.parts))).toEqual([])
    expect(answers.at(-1)?.info.error?.name).toBe("MessageAbortedError")
    expect(chat.second.asked).toHaveLength(0)
    const [shell] = yield* lines(chat.file("process"))
    yield* pollWithTimeout(
      Effect.sync(() => (runs(Number(shell)) ? undefined : true)),
      "the tool runs on after the user's cancel",
      "10 seconds",
    )
    expect(yield* lines(chat.file("ran"))).toEqual([])
  }),
)
