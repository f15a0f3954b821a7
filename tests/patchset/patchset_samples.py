"""Small sources and patches that the tests of this room share. The TypeScript is the tests' own."""

from __future__ import annotations

from collections.abc import Sequence

from opencode_patcher.patchset import series
from opencode_patcher.patchset.parse import FileHunks, parse
from opencode_patcher.patchset.place import Placed, place
from opencode_patcher.patchset.render import render_patch

PATH = "src/kitchen.ts"

KITCHEN = """\
import { Oven } from "./oven"

type Dish = {
  name: string
  // the price is in cents
  price: number
}

export const layer = Layer.effect(
  Kitchen,
  Effect.gen(function* () {
    const oven = yield* Oven

    const prepare = Effect.fn("Kitchen.prepare")(function* (dish: Dish) {
      yield* oven.heat(180)
      yield* wait(10)
      return dish
    })

    const serve = Effect.fn("Kitchen.serve")(function* (
      dish: Dish,
      guest: string,
    ) {
      const plate = yield* oven.take(dish)
      return yield* carry(plate).pipe(
        Effect.tap(() => log(`served ${dish.name} to ${guest}`)),
        Effect.retry(policy),
      )
    })

    return Kitchen.of({ prepare, serve })
  }),
)

export class Waiter {
  async call(guest: string) {
    if (guest === "nobody") {
      return undefined
    }
    return guest
  }

  get busy() {
    return false
  }
}

export * as Kitchens from "./kitchen"
"""

HEADER = """\
Subject: Taste before serving
Why: Guests complain.
Obsolete-When: the kitchen tastes by itself
"""


def diff(hunks: str, path: str = PATH) -> str:
    """A diff for one file around hunks as written."""
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{hunks}"


def hunk(lines: str, heading: str = "", line: int = 1) -> str:
    """A hunk with right counts around its lines (each with its ' ', '-' or '+')."""
    body = lines.splitlines()
    source = sum(not text.startswith("+") for text in body)
    result = sum(not text.startswith("-") for text in body)
    return f"@@ -{line},{source} +{line},{result} @@ {heading}".rstrip() + "\n" + "\n".join(body) + "\n"


def patch_text(*hunks: str, path: str = PATH, touches: str = "") -> str:
    """The whole text of a patch for one file."""
    return f"{HEADER}Touches: {touches or path}\n\n{diff(''.join(hunks), path)}"


def hunks_of(*hunks: str, path: str = PATH) -> FileHunks:
    """The parsed hunks of a patch for one file."""
    patch = series.parse("taste", patch_text(*hunks, path=path))
    return parse(patch, render_patch(patch.name, patch.text, {}))[0]


def placed(text: str, *hunks: str, path: str = PATH) -> Placed:
    """The outcome of placing hunks in a text."""
    return place("taste", path, hunks_of(*hunks, path=path), text)


def reasons(outcome: Placed) -> Sequence[str]:
    """The names of the reasons for which hunks were refused."""
    return [misfit.reason.name for misfit in outcome.misfits]


TASTE = hunk(
    "+        Effect.tap(taste),\n         Effect.retry(policy),\n",
    'const serve = Effect.fn("Kitchen.serve")(function* (',
    27,
)
"""Inserts a line before the retry, in ``serve``."""
