"""Which packages a build needs."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from opencode_patcher.base.errors import SourceError
from opencode_patcher.upstream import workspace
from tests.upstream.fake_upstream import WORKSPACE, manifest

TEXTS = {path: text for path, text in WORKSPACE.items() if path.endswith("package.json")}
NEEDED = ("packages/core", "packages/opencode", "packages/schema", "packages/sdk/js", "packages/slack")


def with_root(**fields: object) -> Mapping[str, str]:
    return {**TEXTS, "package.json": json.dumps({**json.loads(TEXTS["package.json"]), **fields})}


def test_transitive_dependencies_the_roots_own_and_those_it_names_literally() -> None:
    found = workspace.closure(TEXTS)
    assert found.packages == NEEDED
    assert (found.bun, found.version) == ("1.3.14", "1.0.0")


def test_the_web_ui_brings_its_own_packages() -> None:
    assert set(workspace.closure(TEXTS, web_ui=True).packages) == {*NEEDED, "packages/app", "packages/ui"}


def test_dependencies_from_elsewhere_are_named() -> None:
    mixed = {
        "a": "github:owner/a#1", "b": "catalog:", "c": "https://example.invalid/c.tgz", "d": "owner/d", "e": "^1.0.0",
        "f": "catalog:", "g": "file:vendor/g.tgz", "h": "npm:other@1", "i": "git+ssh://git@example.invalid/i.git",
    }  # fmt: skip
    root = json.loads(TEXTS["package.json"])
    catalog = {"b": "https://example.invalid/b", "f": "1.0.0"}
    texts = {
        **with_root(workspaces={**root["workspaces"], "catalog": catalog}),
        "packages/app/package.json": manifest("@opencode-ai/app", dependencies=mixed),
    }
    assert workspace.closure(texts).elsewhere == {}
    found = workspace.closure(texts, web_ui=True).elsewhere
    assert found == {"b": catalog["b"], **{name: mixed[name] for name in ("a", "c", "d", "i")}}


@pytest.mark.parametrize(
    "globs",
    [
        ["packages/*", "packages/sdk/js", "packages/slack"],
        {"packages": ["./packages/*/", "packages/sdk/*", "packages/slack"]},
        ["packages/**", "packages/slack"],
        ["packages/?*", "packages/*/js", "packages/slack", "!packages/web"],
    ],
)
def test_both_ways_to_write_workspaces_and_their_wildcards(globs: object) -> None:
    assert workspace.closure(with_root(workspaces=globs)).packages == NEEDED


def test_a_wildcard_stays_inside_one_path_segment() -> None:
    nested = {**with_root(workspaces=["packages/*", "packages/slack"], dependencies={})}
    nested["packages/opencode/test/fixture/package.json"] = manifest("@opencode-ai/core")
    assert "packages/core" in workspace.closure(nested).packages
    assert "packages/opencode/test/fixture" not in workspace.closure(nested).packages


def test_an_excluded_package_does_not_count() -> None:
    with pytest.raises(SourceError, match="do not fit together"):
        workspace.closure(with_root(workspaces=["packages/*", "packages/sdk/js", "!packages/schema"]))


@pytest.mark.parametrize("field", ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"])
@pytest.mark.parametrize("wanted", ["workspace:*", "workspace:^", "workspace:1.0.0"])
def test_every_kind_of_dependency_counts(field: str, wanted: str) -> None:
    texts = {
        **TEXTS,
        "packages/slack/package.json": manifest("slack", **{field: {"@opencode-ai/web": wanted}}),
    }
    assert "packages/web" in workspace.closure(texts).packages


def test_a_published_version_is_not_a_workspace_dependency() -> None:
    texts = {
        **TEXTS,
        "packages/slack/package.json": manifest("slack", dependencies={"@opencode-ai/web": "1.0.0"}),
    }
    assert "packages/web" not in workspace.closure(texts).packages


def test_packages_that_need_each_other() -> None:
    texts = {
        **TEXTS,
        "packages/schema/package.json": manifest(
            "@opencode-ai/schema", dependencies={"@opencode-ai/core": "workspace:*"}
        ),
    }
    assert workspace.closure(texts).packages == NEEDED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"package.json": None}, "it has no package.json"),
        ({"packages/opencode/package.json": None}, "it has no packages/opencode/package.json"),
        ({"packages/opencode/package.json": manifest("other")}, "'other' instead of 'opencode'"),
        ({"packages/opencode/package.json": "{"}, "packages/opencode/package.json: It is not valid JSON"),
        ({"packages/core/package.json": "[]"}, "packages/core/package.json: Expected `object`"),
        ({"package.json": manifest("x", packageManager="bun@1.3.14")}, "has no workspaces"),
        ({"package.json": manifest("x", packageManager="bun@1.3.14", workspaces=[1])}, "has no workspaces"),
        ({"package.json": manifest("x", workspaces=[])}, "packageManager None"),
        ({"package.json": manifest("x", workspaces=[], packageManager="pnpm@9.0.0")}, "'pnpm@9.0.0'"),
    ],
)
def test_the_error_for_a_foreign_source_says_why(change: dict[str, str | None], reason: str) -> None:
    texts = {path: text for path, text in {**TEXTS, **change}.items() if text is not None}
    with pytest.raises(SourceError) as caught:
        workspace.closure(texts)
    assert reason in caught.value.why
    assert "opencode-patcher demo" in caught.value.next_step


def test_a_missing_dependency_is_named() -> None:
    texts = {path: text for path, text in TEXTS.items() if path != "packages/schema/package.json"}
    with pytest.raises(SourceError) as caught:
        workspace.closure(texts)
    assert "packages/core/package.json needs @opencode-ai/schema" in caught.value.why


def test_the_error_for_a_missing_web_ui_says_how_to_build_without() -> None:
    texts = {path: text for path, text in TEXTS.items() if path != "packages/app/package.json"}
    with pytest.raises(SourceError) as caught:
        workspace.closure(texts, web_ui=True)
    assert "--web-ui off" in caught.value.next_step
