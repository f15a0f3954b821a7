"""The bill of materials is valid CycloneDX and has the packages, their licences and our patches."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from opencode_patcher.base import resources
from opencode_patcher.patchset import series
from opencode_patcher.release import sbom
from opencode_patcher.release.notices import Licence
from opencode_patcher.toolchain import bun_lock
from opencode_patcher.toolchain.bun_lock import Package
from tests.release.release_samples import artifact
from tests.release.release_samples import manifest as sample

DIGEST = base64.b64encode(bytes(range(64))).decode()
LOCK = f"""{{
  "lockfileVersion": 1,
  "workspaces": {{
    "": {{ "name": "opencode" }},
    "packages/opencode": {{
      "name": "opencode", "version": "1.18.3",
      "dependencies": {{ "@opencode-ai/core": "workspace:*", "effect": "1", "glob": "1", "odd": "1" }},
    }},
    "packages/core": {{ "name": "@opencode-ai/core", "version": "1.18.3", "dependencies": {{ "effect": "1" }} }},
  }},
  "patchedDependencies": {{ "effect@4.0.0": "patches/effect@4.0.0.patch" }},
  "packages": {{
    "opencode": ["opencode@workspace:packages/opencode"],
    "@opencode-ai/core": ["@opencode-ai/core@workspace:packages/core"],
    "effect": ["effect@4.0.0", "", {{ "optionalDependencies": {{ "@native/linux": "1" }} }}, "sha512-{DIGEST}"],
    "glob": ["glob@13.0.0", "", {{}}, "sha512-{DIGEST}"],
    "odd": ["odd@1.0.0", "", {{}}, "sha512-{DIGEST}"],
    "@native/linux": ["@native/linux@1.0.0", "", {{ "os": "linux" }}, "sha512-{DIGEST}"],
  }},
}}"""
NEW_FILE = "packages/opencode/src/combined/attempt.ts"


@pytest.fixture
def contents() -> sbom.Contents:
    lock = bun_lock.parse(LOCK)
    return sbom.Contents(
        manifest=sample(),
        lock=lock,
        closure=lock.production("opencode"),
        licences=[
            Licence(name="effect", version="4.0.0", declared="mit", texts=()),
            Licence(name="glob", version="13.0.0", declared="(MIT OR CC0-1.0)", texts=()),
            Licence(name="odd", version="1.0.0", declared="SEE LICENSE IN FILE", texts=()),
        ],
        patches=series.load(resources.patches()).patches,
        new_files={NEW_FILE: "export const answer = 42\n"},
    )


@pytest.fixture
def bill(contents: sbom.Contents) -> dict[str, Any]:
    text = json.dumps(sbom.document(contents, sbom.spdx_ids()))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return dict(json.loads(text))


def components(bill: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {component["name"]: component for component in bill["components"]}


def test_dependencies_are_listed_with_their_digests(bill: dict[str, Any]) -> None:
    found = components(bill)
    assert set(found) == {
        "bun",
        "models.dev catalogue",
        "@opencode-ai/core",
        "effect",
        "glob",
        "odd",
        "@native/linux",
    }
    assert found["effect"]["hashes"] == [{"alg": "SHA-512", "content": bytes(range(64)).hex()}]
    assert found["@native/linux"]["purl"] == "pkg:npm/%40native/linux@1.0.0"
    assert (found["effect"]["scope"], found["@native/linux"]["scope"]) == ("required", "optional")
    assert found["bun"]["version"] == "1.3.14"


def test_licences_are_an_id_an_expression_or_a_name(bill: dict[str, Any]) -> None:
    found = components(bill)
    assert found["effect"]["licenses"] == [{"license": {"id": "MIT"}}]
    assert found["glob"]["licenses"] == [{"expression": "(MIT OR CC0-1.0)"}]
    assert found["odd"]["licenses"] == [{"license": {"name": "SEE LICENSE IN FILE"}}]
    assert "licenses" not in found["@native/linux"]


def test_each_patch_is_in_the_pedigree_with_its_reason(bill: dict[str, Any], contents: sbom.Contents) -> None:
    pedigree = bill["metadata"]["component"]["pedigree"]
    assert pedigree["commits"][0]["uid"] == "c" * 40
    patches = {patch["resolves"][0]["id"]: patch for patch in pedigree["patches"]}
    assert list(patches) == [*(patch.name for patch in contents.patches), "new-files"]
    assert {patch["type"] for patch in patches.values()} == {"unofficial"}
    for patch in contents.patches:
        made = patches[patch.name]
        assert made["diff"]["text"]["content"].startswith("diff --git a/")
        assert patch.header.why in made["resolves"][0]["description"]
    assert NEW_FILE in patches["new-files"]["diff"]["text"]["content"]


def test_upstreams_own_patch_to_a_package_is_mentioned(bill: dict[str, Any]) -> None:
    assert "patches/effect@4.0.0.patch" in components(bill)["effect"]["pedigree"]["notes"]


def test_every_edge_leads_to_a_component(bill: dict[str, Any]) -> None:
    refs = {component["bom-ref"] for component in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    edges = {edge["ref"]: set(edge["dependsOn"]) for edge in bill["dependencies"]}
    assert set().union(*edges.values()) <= refs
    root = edges[bill["metadata"]["component"]["bom-ref"]]
    assert {"workspace:packages/core", "pkg:npm/effect@4.0.0", "pkg:npm/bun@1.3.14"} <= root
    assert edges["pkg:npm/effect@4.0.0"] == {"pkg:npm/%40native/linux@1.0.0"}


def test_equal_releases_have_equal_bills_and_others_another_serial_number(contents: sbom.Contents) -> None:
    first = sbom.document(contents, sbom.spdx_ids())
    assert sbom.document(contents, sbom.spdx_ids()) == first
    other = sbom.Contents(**{**vars(contents), "manifest": sample(artifacts=(artifact("linux-x64", binary="9"),))})
    assert sbom.document(other, sbom.spdx_ids())["serialNumber"] != first["serialNumber"]


@pytest.mark.parametrize("content", ["one\n", "one\ntwo\n", "no end", "", "one\n\n"])
def test_git_creates_the_file_from_an_addition(tmp_path: Path, content: str) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    diff = sbom.addition("a/b.ts", content)
    subprocess.run(["git", "-C", tmp_path, "apply", "-"], input=diff, text=True, check=True)
    assert (tmp_path / "a" / "b.ts").read_text() == content


def test_a_package_from_github_has_its_address(contents: sbom.Contents) -> None:
    page = Package(place="page", name="page", version="github:Owner/page#0123abc")
    bill = sbom.document(replace(contents, closure=[*contents.closure, page]), sbom.spdx_ids())
    assert components(bill)["page"]["purl"] == "pkg:github/owner/page@0123abc"
