/** What is said besides the answer. */
export const UI = {
  println: (text: string) => console.error(text),
  empty: () => {},
}
