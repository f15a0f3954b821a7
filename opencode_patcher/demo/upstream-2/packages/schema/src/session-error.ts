export * as SessionError from "./session-error"

export type Error = { readonly type: string; readonly message: string }
