function Bowl(props: { dish: string }) {
  return (
    <box>
          <text>Don't spill {"it"}</text>
    </box>
  )
}

function Plate(props: { dish: string; cook: string }) {
  const shown = createMemo(() => `${props.dish} {`)
  return (
    <Show when={shown()}>
      {(dish) => (
        <box onPress={() => eat(dish())}>
          <text>{dish()}</text>
          <text>Don't spill {"it"}</text>
        </box>
      )}
    </Show>
  )
}
