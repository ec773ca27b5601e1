"""A batch on a Ray cluster: the same outputs and tables, also where a node is lost."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.scans import write_different

from efficientscn_trt import BundleError
from efficientscn_trt import bundle as bundles
from efficientscn_trt.batch.cluster import shipping
from efficientscn_trt.bundle import ANYONE

_NAMES = [f"{number:02d}" for number in range(40)]


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A cluster of a head without cores."""
    pytest.importorskip("ray", exc_type=ImportError)
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        yield made
    finally:
        made.shutdown()


@pytest.fixture
def many_scans(scans: Path) -> Path:
    """40 scans, no two of which have the same organs."""
    write_different(scans, _NAMES)
    return scans


def _start(bundle: Path, scans: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "efficientscn_trt", "batch", scans.name, "-o", out.name]
    command += ["--bundle", str(bundle), "--precision", "fp32", "--device", "cpu", *options]
    return subprocess.Popen(
        command, cwd=scans.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _lines(journal: Path) -> list[bytes]:
    return journal.read_bytes().splitlines() if journal.exists() else []


def test_a_batch_survives_the_loss_of_a_node(
    tiny_bundle: bundles.Bundle, many_scans: Path, tmp_path: Path, cluster: Any
) -> None:
    lost, _ = cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)
    local = _start(tiny_bundle.path, many_scans, tmp_path / "local")
    assert local.wait() == 0
    process = _start(tiny_bundle.path, many_scans, tmp_path / "out", "--ray", cluster.address)
    journal = tmp_path / "out" / "journal.jsonl"
    while process.poll() is None and len(_lines(journal)) < 8:
        time.sleep(0.01)
    cluster.remove_node(lost, allow_graceful=False)
    done_before = len(_lines(journal))
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert done_before < len(_NAMES)
    for name in _NAMES:
        ours, theirs = ((tmp_path / out / name / "labels.nii.gz").read_bytes() for out in ("out", "local"))
        assert ours == theirs
    assert sorted(json.loads(line)["id"] for line in _lines(journal)) == _NAMES
    with (tmp_path / "out" / "results.csv").open(newline="") as file:
        assert [(row["id"], row["status"]) for row in csv.DictReader(file)] == [
            (name, "done") for name in _NAMES
        ]
    files = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert files == {"labels.nii.gz", "journal.jsonl", ".journal.lock", "results.csv", "failures.csv"}


def test_a_bundle_arrives_where_it_is_not(
    tiny_bundle: bundles.Bundle, tmp_path: Path, own_cache: None
) -> None:
    digest, files = shipping.digest_of(tiny_bundle.path), shipping.packed(tiny_bundle.path, ANYONE)
    assert {path.name for path in tiny_bundle.path.iterdir()} == files.keys()
    assert shipping.at_hand(tiny_bundle.path, digest, ANYONE, pytest.fail) == tiny_bundle.path
    copy = shipping.at_hand(tmp_path / "elsewhere", digest, ANYONE, lambda: files)
    assert bundles.load(copy).manifest == tiny_bundle.manifest
    assert shipping.at_hand(tmp_path / "elsewhere", digest, ANYONE, pytest.fail) == copy
    (copy / "localization.onnx").write_bytes(b"")  # a damaged copy is replaced
    assert (
        bundles.load(shipping.at_hand(tmp_path, digest, ANYONE, lambda: files)).manifest
        == tiny_bundle.manifest
    )


def test_a_bundle_that_was_damaged_on_the_way(tiny_bundle: bundles.Bundle, tmp_path: Path) -> None:
    files = shipping.packed(tiny_bundle.path, ANYONE)
    name = next(iter(tiny_bundle.manifest.files))
    with pytest.raises(BundleError, match=name):
        shipping.at_hand(tmp_path, "0" * 64, ANYONE, lambda: files | {name: b""})
