"""What modules import and export, and which names reach a place."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from opencode_patcher.base import resources
from opencode_patcher.base.line import OPENCODE_2
from opencode_patcher.base.version import Version
from opencode_patcher.patchset import names, newfiles, series
from opencode_patcher.patchset.compose import outcomes
from opencode_patcher.patchset.names import Imports, needs
from opencode_patcher.patchset.newfiles import NewFile
from opencode_patcher.patchset.typescript import modules, scope
from opencode_patcher.patchset.typescript.lexer import scan
from opencode_patcher.patchset.typescript.modules import Import
from opencode_patcher.patchset.typescript.outline import Outline
from opencode_patcher.patchset.typescript.scope import Scope
from tests.patchset.patchset_samples import KITCHEN, PATH, hunk, patch_text

MODULE = """\
import path from "path"
import type { Config } from "@/config/config"
import { Global, type Session as Talk } from "@opencode-ai/core/global"
import * as Stream from "effect/Stream"
import def, { other } from "./other"

// import { nothing } from "commented"
export const a = 1, { unseen } = {}
export type B = string
export async function c() {}
export abstract class D {}
export const { e, f: g } = make()
export { h, i as j }
export { k } from "./k"
export * from "./star"
export * as Kitchen from "./kitchen"
export default c
"""


def test_imports() -> None:
    assert modules.imports(MODULE) == (
        Import(module="path", name="default", local="path"),
        Import(module="@/config/config", name="Config", local="Config"),
        Import(module="@opencode-ai/core/global", name="Global", local="Global"),
        Import(module="@opencode-ai/core/global", name="Session", local="Talk"),
        Import(module="effect/Stream", name="*", local="Stream"),
        Import(module="./other", name="default", local="def"),
        Import(module="./other", name="other", local="other"),
    )


def test_exports() -> None:
    found = modules.exports(MODULE)
    assert found.names == {"a", "B", "c", "D", "e", "g", "h", "j", "k", "default"}
    assert found.stars == ("./star",)
    assert found.namespaces == {"Kitchen": "./kitchen"}
    assert found.passed == {"k": Import(module="./k", name="k", local="k")}


SEAM = "packages/core/src/combined/upstream.ts"

KITCHENS = {
    "packages/core/src/kitchen.ts": 'export * as Kitchen from "./kitchen"\nexport const roast = 1\n',
    "packages/core/src/combined/menu.ts": (
        'import { Oven } from "./upstream"\nexport const dish = Oven.roast\nexport const soup = Oven.boil\n'
    ),
}


def missing(seam: str) -> list[tuple[str, str]]:
    ours = {**KITCHENS, SEAM: seam}
    added = [
        NewFile(path=path, template=path, content=text.encode(), rendered=False)
        for path, text in ours.items()
        if "/combined/" in path
    ]
    return [(name.file, name.what) for name in Imports(added).missing(ours.get, ())]


def test_what_a_module_of_ours_passes_on_is_followed() -> None:
    found = missing('export { Kitchen as Oven } from "../kitchen"\n')
    assert found == [("packages/core/src/combined/menu.ts", "Oven.boil in packages/core/src/kitchen.ts")]


def test_what_a_module_of_ours_passes_on_has_to_exist() -> None:
    found = missing('export { Stove as Oven } from "../kitchen"\nexport type { Pan } from "../pans"\n')
    assert found == [(SEAM, "Stove in packages/core/src/kitchen.ts"), (SEAM, "the module ../pans")]


UPSTREAM = "packages/core/src/combined/runner/upstream/"


def test_each_state_of_opencode_2_has_its_own_upstream_with_the_same_names() -> None:
    files = newfiles.load(resources.templates(), OPENCODE_2)
    earlier, later = (newfiles.of_release(files, version) for version in ((2, 0, 0), (2, 0, 26)))

    def exported(found: Sequence[NewFile]) -> dict[str, frozenset[str]]:
        return {
            file.path: modules.exports(file.content.decode()).names for file in found if file.path.startswith(UPSTREAM)
        }

    assert exported(earlier) == exported(later) != {}


@pytest.mark.parametrize(("version", "others"), [((2, 0, 0), "@opencode/"), ((2, 0, 26), "@opencode-ai/")])
def test_no_state_of_opencode_2_imports_the_packages_of_the_other(version: Version, others: str) -> None:
    files = newfiles.of_release(newfiles.load(resources.templates(), OPENCODE_2), version)
    found = [
        (file.path, need.module)
        for file in newfiles.without_tests(files)
        for need in needs(file.path, file.content.decode())
        if need.module.startswith(others)
    ]
    assert found == []


FILES = {
    "packages/opencode/src/config/config.ts": "",
    "packages/opencode/src/tool/index.tsx": "",
    "packages/core/package.json": json.dumps(
        {"exports": {".": "./src/index.ts", "./x": {"import": "./src/x.ts"}, "./*": "./src/*.ts"}}
    ),
    "packages/core/src/index.ts": "",
    "packages/core/src/x.ts": "",
    "packages/core/src/v1/session.ts": "",
    "packages/broken/package.json": "{",
}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("@/config/config", "packages/opencode/src/config/config.ts"),
        ("../config/config", "packages/opencode/src/config/config.ts"),
        ("../tool", "packages/opencode/src/tool/index.tsx"),
        ("@opencode-ai/core", "packages/core/src/index.ts"),
        ("@opencode-ai/core/x", "packages/core/src/x.ts"),
        ("@opencode-ai/core/v1/session", "packages/core/src/v1/session.ts"),
        ("@opencode-ai/core/v2/session", None),
        ("@opencode-ai/none", None),
        ("@opencode-ai/broken", None),
        ("@/none", None),
    ],
)
def test_where_a_module_leads(module: str, expected: str | None) -> None:
    assert modules.resolve(module, "packages/opencode/src/combined/turn.ts", FILES.get) == expected


def test_dependencies_by_package() -> None:
    assert not modules.is_internal("effect/Stream")
    assert modules.dependency("effect/Stream") == "effect"
    assert modules.dependency("@ai-sdk/provider/x") == "@ai-sdk/provider"


def scoped(text: str) -> Scope:
    source = scan(text)
    return Scope(source, Outline(source))


@pytest.mark.parametrize(
    ("name", "within", "expected"),
    [
        ("Oven", ("layer", "serve"), True),
        ("oven", ("layer", "serve"), True),
        ("plate", ("layer", "serve"), True),
        ("plate", ("layer", "prepare"), False),
        ("dish", ("layer", "serve"), True),
        ("guest", ("layer", "serve"), True),
        ("prepare", ("layer",), True),
        ("served", ("layer", "serve"), False),
        ("price", ("layer", "serve"), False),
        ("heat", ("layer", "prepare"), False),
    ],
)
def test_names_that_reach_a_place(name: str, within: tuple[str, ...], expected: bool) -> None:
    assert scoped(KITCHEN).reaches(name, within) is expected


@pytest.mark.parametrize(
    "text",
    [
        "const { a, b: n } = x\n",
        "const [m, n] = x\n",
        "import n from 'x'\n",
        "import { a as n } from 'x'\n",
        "import * as n from 'x'\n",
        "import type { n } from 'x'\n",
        "function f(a: string, n = 1) {\n}\n",
        "function f({ a, n }: Input): void {\n}\n",
        "const f = async (...n: string[]) => 1\n",
        "const f = n => 1\n",
        "for (const n of x) {\n}\n",
        "try {\n} catch (n) {\n}\n",
        "class n {\n}\n",
        "enum n {\n}\n",
    ],
)
def test_every_way_to_declare_a_name(text: str) -> None:
    assert scoped(text).reaches("n", ())


@pytest.mark.parametrize("text", ["x.n()\n", "call(n)\n", "const a = { n: 1 }\n", "// const n\n", 'const a = "n"\n'])
def test_code_that_declares_no_name(text: str) -> None:
    assert not scoped(text).reaches("n", ())


def test_the_names_that_lines_use() -> None:
    text = "const x = call(`${a} b`, { key: c, short }, d.member, (e) => e + 1) // comment\n"
    assert scope.used(scan(text), [0]) == {"x", "call", "a", "c", "short", "d", "e"}


def test_what_a_hunk_declares_reaches_into_the_functions_inside_its_own() -> None:
    text = """\
function open() {
  const oven = light()
  const bake = (dish: Dish) => {
    watch(dish)
  }
  return bake
}

function close() {
  lock()
}
"""
    patch = series.parse(
        "sample",
        patch_text(
            hunk("   const oven = light()\n+  const clock = start(oven)\n", "open"),
            hunk("     watch(dish)\n+    clock.stop(dish)\n", "open > bake"),
            hunk("   lock()\n+  clock.stop()\n", "close"),
        ),
    )
    (found,) = outcomes(patch, {}, {PATH: text.encode()}.get)
    missing = [name.what for name in names.missing_locals(found, names.hook_names(found))]
    assert missing == ["start in open", "clock in close"]
