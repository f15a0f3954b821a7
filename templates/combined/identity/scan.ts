// Splits an id into words: lower case, no punctuation, numbers and dates in one form.
//
// scan.py in opencode-patcher is the same in Python; the two agree on every input. So nothing here depends on
// Unicode tables: only ASCII letters have a case, and everything beyond ASCII counts as a letter.

export type Scan = { words: string[]; stamp: string }

const HAS_DECIMAL = /[0-9][p_][0-9]/
const DECIMAL = /(?<=[0-9])[p_](?=[0-9])/g
const RUN = /[0-9]+(?:\.[0-9]+)*|[a-z\u0080-\uffff]+|[\x00-/:-`{-\x7f]+/g
const ASCII = /^[\x00-\x7f]*$/
const SINGLE_LETTER = /^[a-z]$/
const SINGLE_VERSION = /^[a-z][0-9]$/
const VERSIONED = /^[vmkl][0-9][0-9]$/
const NUMBER = /^[0-9]+(?:\.[0-9]+)*$/
const DIGITS = /^[0-9]+$/
const ZERO = /^([a-z]?[0-9]+)\.0$/
const MONTHS = new Map([
  ["january", "01"],
  ["jan", "01"],
  ["february", "02"],
  ["feb", "02"],
  ["april", "04"],
  ["apr", "04"],
  ["june", "06"],
  ["jun", "06"],
  ["july", "07"],
  ["jul", "07"],
  ["august", "08"],
  ["aug", "08"],
  ["september", "09"],
  ["sep", "09"],
  ["sept", "09"],
  ["october", "10"],
  ["oct", "10"],
  ["november", "11"],
  ["nov", "11"],
  ["december", "12"],
  ["dec", "12"],
])

export function lower(text: string) {
  if (ASCII.test(text)) return text.toLowerCase()
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** The text without ASCII punctuation, as used to look up vendor names. */
export function squash(text: string) {
  return lower(text).replace(/[\x00-/:-`{-\x7f]+/g, "")
}

/** Words and stamp of a text in lower case. Words in `whole` are never split. */
export function scan(text: string, whole: ReadonlySet<string>): Scan {
  return numbers(atoms(HAS_DECIMAL.test(text) ? text.replace(DECIMAL, ".") : text, whole))
}

/** Compares by UTF-16 code units, as `<` does. */
export function compare(a: string, b: string) {
  if (a === b) return 0
  return a < b ? -1 : 1
}

export function isNumber(word: string) {
  return NUMBER.test(word)
}

export function isDigits(word: string) {
  return DIGITS.test(word)
}

function isDigit(code: number) {
  return code >= 48 && code <= 57
}

function isSeparator(code: number) {
  return code <= 127 && !(code >= 97 && code <= 122) && !isDigit(code)
}

// Split at punctuation, and between a number and a word of two or more letters: qwen3 is two words, k2 one.
function atoms(text: string, whole: ReadonlySet<string>) {
  const words: string[] = []
  let runs: string[] = []
  for (const run of text.match(RUN) ?? []) {
    if (!isSeparator(run.charCodeAt(0))) {
      runs.push(run)
      continue
    }
    if (runs.length > 0) close(runs, whole, words)
    runs = []
  }
  if (runs.length > 0) close(runs, whole, words)
  return words
}

function close(runs: readonly string[], whole: ReadonlySet<string>, words: string[]) {
  if (runs.length === 1) {
    words.push(runs[0])
    return
  }
  const atom = runs.join("")
  if (whole.has(atom)) {
    words.push(atom)
    return
  }
  // Numbers and letters alternate. Only a single letter stays with the number beside it.
  let pieces = runs[0]
  for (let index = 1; index < runs.length; index++) {
    const letters = isDigit(runs[index].charCodeAt(0)) ? runs[index - 1] : runs[index]
    if (!SINGLE_LETTER.test(letters)) {
      words.push(pieces)
      pieces = ""
    }
    pieces += runs[index]
  }
  words.push(pieces)
}

// Joins versions (4-5), splits compact ones (52), and takes out the first stamp.
function numbers(atoms: string[]): Scan {
  const words: string[] = []
  let stamp = ""
  let index = 0
  while (index < atoms.length) {
    const word = atoms[index]
    const following = atoms[index + 1] ?? ""
    const third = atoms[index + 2] ?? ""
    // 1024 after "thinking" is a budget in tokens, not October 24th.
    const budget = word === "1024" && (words.at(-1) === "thinking" || words.at(-1) === "think")
    const found = stamp || budget ? undefined : stampAt(word, following, third)
    if (found && (words.length > 0 || index + found.used < atoms.length)) {
      stamp = found.stamp
      index += found.used
      continue
    }
    if (word === "v" && isNumber(following)) {
      atoms[index + 1] = "v" + following
      index += 1
      continue
    }
    if ((isMinor(word, 2) || SINGLE_VERSION.test(word)) && isMinor(following, isDigits(word) ? 2 : 1)) {
      words.push(plain(word + "." + following))
      index += 2
      continue
    }
    words.push(plain(expand(word)))
    index += 1
  }
  return { words, stamp }
}

// Whether this is a part of a version: at most that many digits, and no leading zero, which would make it part of a
// date.
function isMinor(word: string, digits: number) {
  return word.length <= digits && isDigits(word) && (word.length === 1 || word[0] !== "0")
}

// 52 is 5.2 and m25 is m2.5: no generation has reached ten.
function expand(word: string) {
  if (word.length === 2 && isDigits(word) && word[0] !== "0") return word[0] + "." + word[1]
  if (VERSIONED.test(word)) return word.slice(0, 2) + "." + word[2]
  return word
}

function plain(word: string) {
  return ZERO.exec(word)?.[1] ?? word
}

function stampAt(word: string, following: string, third: string) {
  if (!isDigits(word)) {
    const month = MONTHS.get(word)
    return month === undefined ? undefined : { stamp: month, used: 1 }
  }
  if (word.length === 8 && isYear(word.slice(0, 4)) && isMonth(word.slice(4, 6)) && isDay(word.slice(6)))
    return { stamp: word, used: 1 }
  if (word.length === 6 && isYear("20" + word.slice(0, 2)) && isMonth(word.slice(2, 4)) && isDay(word.slice(4)))
    return { stamp: "20" + word, used: 1 }
  if (word.length === 4) {
    if (isYear(word) && isMonth(following))
      return isDay(third) ? { stamp: word + following + third, used: 3 } : { stamp: word + following, used: 2 }
    if (isYear("20" + word.slice(0, 2)) && isMonth(word.slice(2))) return { stamp: "20" + word, used: 1 }
    if (isMonth(word.slice(0, 2)) && isDay(word.slice(2))) return { stamp: word, used: 1 }
  }
  if (word.length === 3 && word[0] === "0") return { stamp: word, used: 1 }
  if (word.length === 2 && isMonth(word)) {
    if (isYear(following)) return { stamp: following + word, used: 2 }
    if (isDay(following)) return { stamp: word + following, used: 2 }
  }
  return undefined
}

function isYear(text: string) {
  return text.length === 4 && isDigits(text) && text >= "2020" && text <= "2039"
}

function isMonth(text: string) {
  return text.length === 2 && isDigits(text) && text >= "01" && text <= "12"
}

function isDay(text: string) {
  return text.length === 2 && isDigits(text) && text >= "01" && text <= "31"
}
