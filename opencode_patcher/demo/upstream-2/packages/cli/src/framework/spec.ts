/** How OpenCode 2 describes a command. The small one parses its own arguments, in ../index.ts. */
type About = { readonly params?: Readonly<Record<string, unknown>>; readonly commands?: readonly unknown[] }

export const Spec = { make: (name: string, about: About) => ({ name, ...about }) }
