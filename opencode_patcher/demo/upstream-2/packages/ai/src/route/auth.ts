export type Auth = (headers: Record<string, string>) => Record<string, string>

/** How a request shows who makes it. */
export const Auth = {
  none: (headers: Record<string, string>) => headers,
  bearer:
    (key: string): Auth =>
    (headers) => ({ ...headers, authorization: `Bearer ${key}` }),
  header:
    (name: string, value: string): Auth =>
    (headers) => ({ ...headers, [name]: value }),
}
