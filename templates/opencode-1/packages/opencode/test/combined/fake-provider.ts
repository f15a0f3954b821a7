/**
 * A provider that answers by a script, over a plain socket. Only with a socket can a test cut the connection in the
 * middle of an answer, or end it silently. It speaks the chat completions protocol (others with `event`), and keeps the
 * requests that it got.
 */
import { createServer, type Socket } from "node:net"
import { Effect } from "effect"

export type Asked = {
  readonly model: string
  readonly messages: readonly { readonly role: string; readonly content: unknown; readonly tool_call_id?: string }[]
  readonly tools?: readonly unknown[]
}

type Move =
  | { readonly type: "send"; readonly data: string }
  | { readonly type: "wait"; readonly until: () => Promise<unknown> }
  | { readonly type: "cut" }

export type Answer = {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly moves: readonly Move[]
  /** Holds back the head too. */
  readonly before?: () => Promise<unknown>
}

export type FakeProvider = {
  readonly url: string
  /** The requests that it got, without those for titles. */
  readonly asked: Asked[]
  readonly titles: Asked[]
  /** Answers to give, in this order. Without one, a request is refused as invalid, which no failover hides. */
  readonly answer: (...answers: Answer[]) => void
  readonly answerTitle: (...answers: Answer[]) => void
  /** Resolves once it has had this many requests. */
  readonly times: (count: number) => Promise<void>
  readonly close: () => Promise<void>
}

const data = (value: unknown): Move => ({ type: "send", data: `data: ${JSON.stringify(value)}\n\n` })

const delta = (value: Record<string, unknown>) =>
  data({ id: "chat-1", object: "chat.completion.chunk", choices: [{ index: 0, delta: value }] })

export const say = (text: string) => delta({ role: "assistant", content: text })

/** Some servers say in each event what they have charged so far. */
export const report = (usage: { input: number; output: number }) =>
  data({ id: "chat-1", object: "chat.completion.chunk", choices: [], ...charged(usage) })

export const think = (text: string) => delta({ role: "assistant", reasoning_content: text })

/** The arguments of a call while they stream. A part of them makes a call that was never completed. */
export const callText = (index: number, id: string, name: string, text: string) =>
  delta({ tool_calls: [{ index, id, type: "function", function: { name, arguments: text } }] })

export const call = (index: number, id: string, name: string, input: unknown) =>
  callText(index, id, name, JSON.stringify(input))

/** Holds the rest of the answer back. */
export const wait = (until: () => Promise<unknown>): Move => ({ type: "wait", until })

/** A gate inside an answer. The test opens it once it has seen what came before. */
export function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { open: Effect.sync(resolve), wait: wait(() => promise) }
}

export const cut: Move = { type: "cut" }

export const event = data

export const finish = (reason: string, usage?: { input: number; output: number }): Move[] => [
  data({
    id: "chat-1",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: {}, finish_reason: reason }],
    ...(usage && charged(usage)),
  }),
  { type: "send", data: "data: [DONE]\n\n" },
]

const charged = (usage: { input: number; output: number }) => ({
  usage: {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
  },
})

/** An answer as a stream. Without `finish` and `cut`, the connection ends silently, as if everything had been said. */
export const stream = (...moves: Move[]): Answer => ({
  status: 200,
  headers: { "content-type": "text/event-stream" },
  moves,
})

export const text = (value: string, usage?: { input: number; output: number }) =>
  stream(say(value), ...finish("stop", usage))

export const refuse = (status: number, body: unknown, headers?: Record<string, string>): Answer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  moves: [{ type: "send", data: JSON.stringify(body) }],
})

/** Closes the connection before the head of the answer, without a word. */
export const hangUp: Answer = { status: 0, moves: [cut] }

/** A refusal that ends the turn at once, so that no other provider is asked. */
const unexpected = refuse(400, {
  error: {
    type: "invalid_request_error",
    code: "content_policy_violation",
    message: "the test expected no request",
  },
})

async function play(socket: Socket, answer: Answer): Promise<void> {
  // With chunks, a cut can be noticed. Without them, the end of the connection is the end of the answer.
  const chunked = answer.moves.some((move) => move.type === "cut")
  const headers = { ...answer.headers, connection: "close", ...(chunked && { "transfer-encoding": "chunked" }) }
  const head = [
    `HTTP/1.1 ${answer.status} Scripted`,
    ...Object.entries(headers).map(([key, value]) => `${key}: ${value}`),
  ]
  await answer.before?.()
  if (answer.status) socket.write(head.join("\r\n") + "\r\n\r\n")
  for (const move of answer.moves) {
    if (move.type === "wait") await move.until()
    if (move.type === "cut") socket.destroy()
    if (move.type !== "send") continue
    const bytes = Buffer.byteLength(move.data)
    await new Promise((done) =>
      socket.write(chunked ? `${bytes.toString(16)}\r\n${move.data}\r\n` : move.data, () => done(undefined)),
    )
  }
  socket.end()
}

function body(request: string): Asked | undefined {
  const end = request.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const length = Number(/^content-length: *(\d+)/im.exec(request.slice(0, end))?.[1] ?? 0)
  const bytes = Buffer.from(request.slice(end + 4), "latin1")
  return bytes.length < length ? undefined : JSON.parse(bytes.toString("utf8"))
}

/** Starts a provider. It ends with the scope of the test. */
export const fakeProvider = Effect.acquireRelease(
  Effect.promise(async (): Promise<FakeProvider> => {
    const asked: Asked[] = []
    const titles: Asked[] = []
    const answers: Answer[] = []
    const titleAnswers: Answer[] = []
    const sockets = new Set<Socket>()
    const waiting: { count: number; done: () => void }[] = []
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => socket.destroy())
      socket.on("close", () => sockets.delete(socket))
      const received: string[] = []
      socket.on("data", (bytes) => {
        received.push(bytes.toString("latin1"))
        const request = body(received.join(""))
        if (!request) return
        received.length = 0
        if (JSON.stringify(request).includes("Generate a title for this conversation")) {
          titles.push(request)
          void play(socket, titleAnswers.shift() ?? text("A title"))
          return
        }
        asked.push(request)
        waiting.filter((item) => asked.length >= item.count).forEach((item) => item.done())
        void play(socket, answers.shift() ?? unexpected)
      })
    })
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
    const address = server.address()
    if (typeof address !== "object" || !address) throw new Error("The fake provider has no port")
    return {
      url: `http://127.0.0.1:${address.port}/v1`,
      asked,
      titles,
      answer: (...items) => void answers.push(...items),
      answerTitle: (...items) => void titleAnswers.push(...items),
      times: (count) =>
        asked.length >= count
          ? Promise.resolve()
          : new Promise((done) => {
              waiting.push({ count, done })
            }),
      close: () =>
        new Promise((done) => {
          sockets.forEach((socket) => socket.destroy())
          server.close(() => done())
        }),
    }
  }),
  (provider) => Effect.promise(() => provider.close()),
)
