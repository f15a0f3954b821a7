import { EOL } from "os"

export const println = (text: string) => void process.stdout.write(text + EOL)

export const error = (text: string) => void process.stderr.write(`Error: ${text}${EOL}`)

export * as UI from "./ui"
