/** Where upstream's terminal interface connects to the server. The small OpenCode has none. */
import { OpenCode } from "@opencode-ai/client"

export const connect = (address: { readonly baseUrl: string }) => OpenCode.make(address)
