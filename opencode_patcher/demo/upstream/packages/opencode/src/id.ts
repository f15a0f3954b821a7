let last = 0

/** An id that sorts after all ids that this machine has made before. */
export function ascending(prefix: "ses" | "msg" | "prt") {
  last = Math.max(last + 1, Date.now() * 1000)
  return `${prefix}_${last.toString(16).padStart(14, "0")}${crypto.randomUUID().slice(0, 8)}`
}

export * as Identifier from "./id"
