/** Makes text from elsewhere safe to show. Twin of `shown` in opencode_patcher/base/text.py. Pure. */

/**
 * Characters that control a terminal or are invisible: control characters, direction overrides, lone surrogates, line
 * separators.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** The text in one line that is safe for a terminal: invisible characters become escapes, such as `\x1b`. */
export function shown(text: string) {
  return text.replace(HIDDEN, (char) => {
    const code = char.codePointAt(0) ?? 0
    if (char === "\t") return char
    if (char === "\n") return "\\n"
    if (char === "\r") return "\\r"
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`
  })
}

export * as CombinedText from "./text"
