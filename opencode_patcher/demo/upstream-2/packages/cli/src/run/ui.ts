export const UI = {
  println: (text: string) => console.log(text),
}
