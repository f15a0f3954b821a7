/** A question to the user, drawn once as text. */
type Request = { permission: string; patterns: readonly string[] }

export function PermissionPrompt(props: { request: Request }) {
  return [
    ["△ Permission required"],
    [
      ...[
        (() => {
          const info = () => {
            const permission = props.request.permission

            if (permission === "doom_loop") {
              return { icon: "⟳", title: "Continue after repeated failures", body: undefined }
            }

            return { icon: "⚙", title: `Call tool ${permission}`, body: `Tool: ${permission}` }
          }

          const { icon, title, body } = info()
          return [`${icon} ${title}`, body ?? ""].join("\n")
        })(),
      ],
    ],
  ]
    .flat()
    .join("\n")
}
