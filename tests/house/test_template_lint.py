"""What the linters say: of the transformed template, and of the file itself."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint

from tests.house.template import REGION, ROOT, transformed

SAM = ("uvx", "--offline", "--quiet", "--from", "aws-sam-cli==1.170.0", "sam")


def test_lint_transformed_template_has_no_finding() -> None:
    """A clean lint of the raw file would prove little: it cannot see what SAM makes of it."""
    found = lint(json.dumps(transformed(), indent=1), config=ManualArgs(regions=[REGION]))
    assert [f"{one.rule.id} {one.message}" for one in found] == []


def test_lint_raw_template_has_no_finding() -> None:
    found = lint((ROOT / "template.yaml").read_text(encoding="utf-8"), config=ManualArgs(regions=[REGION]))
    assert [f"{one.rule.id} {one.message}" for one in found] == []


def test_lint_sam_accepts_the_template(tmp_path: Path) -> None:
    if shutil.which("uvx") is None:
        pytest.skip("uvx is not installed")
    ready = subprocess.run([*SAM, "--version"], cwd=ROOT, capture_output=True, text=True, check=False)
    if ready.returncode != 0:
        pytest.skip(
            "aws-sam-cli 1.170.0 is not in uv's cache; `uvx --from aws-sam-cli==1.170.0 sam --version` puts it there"
        )
    command = [*SAM, "validate", "--lint", "--region", REGION, "--template", str(ROOT / "template.yaml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_template_is_small_enough_for_cloudformation() -> None:
    template = transformed()
    assert len(template["Resources"]) < 400  # of 500
    assert len(json.dumps(template)) < 800_000  # of 1 MB
    assert len(template["Parameters"]) < 150  # of 200
