"""Pipelines in several threads, and one that several threads call, give the same results as alone."""

from __future__ import annotations

import threading

import numpy as np
from support.device_scans import SPACING, make_scan
from support.fake_pipeline import FakePipeline


def test_pipelines_in_threads_do_not_disturb_each_other() -> None:
    scans = [make_scan(20 + seed, (30 + 4 * seed, 40, 50)) for seed in range(4)]
    expected = [FakePipeline().segment(scan, SPACING)[0] for scan in scans]
    failures: list[object] = []

    def work(index: int) -> None:
        own = FakePipeline()
        for _ in range(3):
            labels, _ = own.segment(scans[index], SPACING)
            if not np.array_equal(labels, expected[index]):
                failures.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_threads_share_an_engine_with_a_context_each() -> None:
    first = FakePipeline()
    pipelines = [first.pipeline_of(first.localization, first.segmentation) for _ in range(3)]
    scans = [make_scan(20 + seed, (30 + 4 * seed, 40, 50)) for seed in range(3)]
    results: dict[int, np.ndarray] = {}

    def work(index: int) -> None:
        labels = np.empty(scans[index].shape, np.uint8)
        for _ in range(3):
            pipelines[index].segment(scans[index], SPACING, labels)
        results[index] = labels

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, scan in enumerate(scans):
        np.testing.assert_array_equal(results[index], FakePipeline().segment(scan, SPACING)[0])


def test_one_pipeline_called_from_several_threads_takes_turns() -> None:
    pipeline = FakePipeline()
    scans = [make_scan(30 + seed, (30, 40, 50)) for seed in range(4)]
    labels = [np.empty(scan.shape, np.uint8) for scan in scans]
    threads = [
        threading.Thread(target=pipeline.pipeline.segment, args=(scan, SPACING, out))
        for scan, out in zip(scans, labels, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for scan, out in zip(scans, labels, strict=True):
        np.testing.assert_array_equal(out, FakePipeline().segment(scan, SPACING)[0])
