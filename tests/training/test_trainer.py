"""Training: networks learn, a resumed run gives the same bits, and a folder keeps one configuration."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from support.tiny_cases import tiny_case, write_case

from efficientscn_trt.errors import DeviceError, InputError
from efficientscn_trt.training import weights
from efficientscn_trt.training.augment import STRENGTHS, sample
from efficientscn_trt.training.cases import Cache, Folder
from efficientscn_trt.training.config import Config, paper, quick_work
from efficientscn_trt.training.ema import MovingAverage
from efficientscn_trt.training.networks import UNet
from efficientscn_trt.training.prepare import prepare_localization, prepare_segmentation
from efficientscn_trt.training.trainer import Trainer, dice

CROP = ((32, 32, 32),)
# With dropout and augmentation, so that a resumed run must repeat all random numbers.
LOCALIZATION = replace(
    quick_work("localization", 4, crops=CROP, augmentation=STRENGTHS["strong"]), dropout=0.1
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cases")
    for name in ("a", "b"):
        write_case(path, name, *tiny_case(ord(name)))
    return path


def trainer(config: Config, folder: Path, run: Path, start: Path | None = None) -> Trainer:
    prepare = prepare_localization if config.network == "localization" else prepare_segmentation
    return Trainer(config, Cache(Folder(folder), prepare, folder / "cache"), run, start)


def arrays(run: Path) -> dict[str, np.ndarray]:
    with np.load(run / "weights.npz") as file:
        return {key: file[key] for key in file.files}


def history(run: Path) -> list[dict[str, str]]:
    with open(run / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def assert_equal_weights(first: Path, second: Path) -> None:
    ours, theirs = arrays(first), arrays(second)
    assert all((ours[key] == theirs[key]).all() for key in ours)


def test_two_tiny_cases_are_learnt_in_200_steps(tmp_path: Path) -> None:
    """At 8 mm a tiny case is a whole region of interest in 32×32×32 voxels."""
    for name in ("a", "b"):
        write_case(tmp_path / "cases", name, *tiny_case(ord(name)), spacing=8.0)
    config = quick_work(
        "segmentation", 200, 2e-3, spacing_mm=8.0, moving_average=0.99, augmentation=STRENGTHS["none"]
    )
    cache = Cache(
        Folder(tmp_path / "cases"), partial(prepare_segmentation, spacing_mm=8.0), tmp_path / "cache"
    )
    run = Trainer(config, cache, tmp_path / "run")
    run.train()
    for name in ("a", "b"):
        case = run.cases.get(name)
        image, labels = sample(
            case, np.mean(case.box, 0), (32, 32, 32), STRENGTHS["none"], np.random.default_rng(0)
        )
        with torch.no_grad():
            found = run.average.network(image).probabilities.argmax(1)
        scores = dice(labels, found, (1, 2, 3, 4))
        assert min(scores.values()) > 0.95, scores
    rows = history(run.run)
    assert [int(float(row["step"])) for row in rows] == list(range(200))
    assert float(rows[-1]["loss"]) < 0.5 * float(rows[0]["loss"])
    assert (run.run / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_stopped_run_ends_with_the_same_weights(folder: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    trainer(LOCALIZATION, folder, whole).train()

    class Stopped(Exception):
        pass

    def stop(step: int, row: dict[str, float]) -> None:
        if step == 2:
            raise Stopped

    first = trainer(LOCALIZATION, folder, parts)
    with pytest.raises(Stopped):
        first.train(lambda step, row: first.checkpoint() if step == 1 else stop(step, row))
    second = trainer(LOCALIZATION, folder, parts)
    assert second.step == 2
    second.train()
    assert_equal_weights(whole, parts)
    for ours, theirs in zip(history(whole), history(parts), strict=True):
        assert all(ours[name] == theirs[name] for name in ours if name != "seconds")


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL needs POSIX")
def test_a_killed_run_ends_with_the_same_weights(folder: Path, tmp_path: Path) -> None:
    """SIGKILL may end a run at any moment, also while it writes."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    trainer(LOCALIZATION, folder, whole).train()
    script = tmp_path / "run.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\n"
        f"sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}\n"
        "import torch, test_trainer as t\n"
        "import efficientscn_trt.training.trainer as module\n"
        "module.CHECKPOINT_SECONDS = 0.0\n"
        "torch.set_num_threads(2)\n"
        f"run = t.trainer(t.LOCALIZATION, Path({str(folder)!r}), Path({str(killed)!r}))\n"
        "run.train(lambda step, row: print(step, flush=True))\n"
    )
    for kill_at in (1, None):
        process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if kill_at is not None and int(line) == kill_at:
                time.sleep(0.05)  # until it writes the checkpoint
                process.kill()
                break
        process.wait(120)
    assert process.returncode == 0
    assert_equal_weights(whole, killed)
    names = {path.name for path in killed.iterdir() if not path.name.startswith(".")}
    assert names == {"config.json", "checkpoint.pt", "weights.npz", "history.csv", "curves.png"}


def test_a_folder_keeps_one_configuration(folder: Path, tmp_path: Path) -> None:
    trainer(LOCALIZATION, folder, tmp_path)
    with pytest.raises(InputError, match="learning_rate"):
        trainer(replace(LOCALIZATION, learning_rate=1.0), folder, tmp_path)


def test_a_run_may_start_from_weights(folder: Path, tmp_path: Path) -> None:
    source = UNet(1, 2, levels=5, filters=32)
    weights.save(source, tmp_path / "start.npz")
    run = trainer(LOCALIZATION, folder, tmp_path / "run", tmp_path / "start.npz")
    for ours, theirs in zip(run.network.parameters(), source.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_weights_to_start_from_must_be_readable(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"none\.npz cannot be read \(No such file or directory\); give weights"
    ):
        trainer(LOCALIZATION, folder, tmp_path / "run", tmp_path / "none.npz")


def test_a_gpu_that_pytorch_does_not_find_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DeviceError, match=r"There is no cuda:99: PyTorch finds \d+ GPUs on this machine; use"
    ):
        trainer(replace(LOCALIZATION, device="cuda:99"), folder, tmp_path / "run")


def test_the_defaults_are_the_papers() -> None:
    config = paper("segmentation", 500_000)
    assert (config.learning_rate, config.dropout, config.moving_average) == (1e-4, 0.1, 0.999)
    assert config.crops == () and config.gradient_norm == 0 and config.input_deviation_hu == 0
    assert config.rate(0) == config.rate(499_999) == 1e-4


def test_the_quick_rate_rises_and_falls() -> None:
    config = quick_work("segmentation", 100, 1e-3)
    rates = [config.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(1e-3 / 21) and max(rates) < 1e-3
    assert rates[-1] == pytest.approx(1e-5, rel=0.1)
    assert np.argmax(rates) == 20


def test_the_average_by_hand() -> None:
    network = UNet(1, 1, levels=1, filters=16)
    average = MovingAverage(network, decay=0.5)
    assert isinstance(average.network, UNet)
    start = network.head.weight.detach().clone()
    with torch.no_grad():
        network.head.weight += 1
    average.update(network, step=0)  # decay 1/10 at first
    assert torch.allclose(average.network.head.weight, start + 0.9)
    average.update(network, step=100)
    assert torch.allclose(average.network.head.weight, start + 0.95)


def test_dice_by_hand() -> None:
    truth, found = torch.tensor([0, 1, 1, 2]), torch.tensor([0, 1, 0, 0])
    scores = dice(truth, found, (1, 2, 3))
    assert scores["dice_1"] == pytest.approx(2 / 3) and scores["dice_2"] == 0
    assert np.isnan(scores["dice_3"])
