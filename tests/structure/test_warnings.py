"""Every warning of the package has a sentence without names, which a page for others may show."""

from __future__ import annotations

import ast
from pathlib import Path

import efficientscn_trt
from efficientscn_trt import ScanWarning

PACKAGE = Path(efficientscn_trt.__file__).parent


def test_every_warning_is_made_with_both_sentences() -> None:
    calls = [
        (path.name, node.lineno, len(node.args))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ScanWarning"
    ]
    assert len(calls) > 15
    assert [call for call in calls if call[2] != 3] == []


def test_a_warning_without_such_a_sentence_does_not_show_its_own() -> None:
    unknown = ScanWarning("odd-thing", "/scans/Nobody^Jane.nii is odd.")
    assert "Nobody" not in str(unknown.without_names())
    assert unknown.without_names().code == "odd-thing"
    known = ScanWarning("odd-thing", "/scans/Nobody^Jane.nii is odd.", "The scan is odd.")
    assert str(known.without_names()) == "The scan is odd."
    assert known.described() == {"code": "odd-thing", "message": "/scans/Nobody^Jane.nii is odd."}
