"""The training loop: Adam, batch 1, averaged weights; killed at any moment it resumes to the same end.

All randomness of a step is drawn from (seed, step), so a checkpoint holds weights, optimizer and the step alone.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from efficientscn_trt.errors import InputError

from . import weights
from .augment import Augmentation
from .cases import Cache
from .ema import MovingAverage
from .history import History
from .losses import localization_loss, segmentation_loss
from .networks import SpatialConfigurationNet, localization_network, standardize_input
from .sampling import Size, draw_sample


@dataclass(frozen=True)
class Config:
    """What decides a run's result. Defaults are the paper's (section 4.2, Table 3), apart from `steps`."""

    network: str
    steps: int
    learning_rate: float = 1e-4
    decay: str = "constant"  # or "cosine", to 1% of it
    warmup: int = 0
    moving_average: float = 0.999
    dropout: float = 0.1
    gradient_norm: float = 0.0  # clipped to this; 0: not
    crops: tuple[Size, ...] = ()
    augmentation: Augmentation = field(default_factory=Augmentation)
    smallest: float = 1.0
    # Start as if the input were divided by this many HU; 0: plain He initialization.
    input_deviation_hu: float = 0.0
    seed: int = 0
    device: str = "cpu"

    def rate(self, step: int) -> float:
        """Learning rate of update number `step` (from 0)."""
        rate = self.learning_rate * min(1.0, (step + 1) / (self.warmup + 1))
        if self.decay == "cosine":
            rate *= 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / max(self.steps, 1)))
        return rate


Report = Callable[[int, dict[str, float]], None]


class Trainer:
    """One run in folder `run`: checkpoint.pt, weights.npz (averaged), history.csv, curves.png, config.json."""

    def __init__(self, config: Config, cases: Cache, run: Path, start: Path | None = None) -> None:
        self.config, self.cases, self.run_path = config, cases, run
        run.mkdir(parents=True, exist_ok=True)
        self._check_config()
        torch.manual_seed(config.seed)
        self.network = build(config.network, config.dropout)
        if config.input_deviation_hu > 0:
            standardize_input(self.network, config.input_deviation_hu / 2048.0)
        if start is not None:
            weights.load(self.network, start)
        self.network.to(config.device, memory_format=torch.channels_last_3d).train()
        self.average = MovingAverage(self.network, config.moving_average)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate)
        self.step = 0
        self.history = History(run, ["localized"] if config.network == "localization" else None)
        if (run / "checkpoint.pt").exists():
            self._resume()

    def train(self, report: Report | None = None, checkpoint_every: int = 50) -> None:
        """Train to the configured number of steps; at the end weights.npz holds the averaged weights."""
        with ThreadPoolExecutor(1) as pool:
            ahead: list[Future[tuple[Tensor, Tensor, tuple[int, ...]]]] = []
            for step in range(self.step, self.config.steps):
                while len(ahead) < 3 and step + len(ahead) < self.config.steps:
                    ahead.append(pool.submit(self._draw, step + len(ahead)))
                began = time.perf_counter()
                row = self._update(step, *ahead.pop(0).result())
                row["seconds"] = time.perf_counter() - began
                self.step = step + 1
                self.history.add(step, row)
                if report is not None:
                    report(step, row)
                if self.step % checkpoint_every == 0 and self.step < self.config.steps:
                    self.checkpoint()
        self.checkpoint()

    def checkpoint(self) -> None:
        """Write the run's state, each file at once or not at all, the checkpoint first."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        temporary = self.run_path / "checkpoint.pt.part"
        torch.save(state, temporary)
        os.replace(temporary, self.run_path / "checkpoint.pt")
        weights.save(self.average.network, self.run_path / "weights.npz")
        self.history.write()

    def _resume(self) -> None:
        state = torch.load(self.run_path / "checkpoint.pt", map_location=self.config.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = int(state["step"])
        self.history.read(self.step)

    def _check_config(self) -> None:
        path = self.run_path / "config.json"
        text = json.dumps(asdict(self.config), indent=1)
        if path.exists() and path.read_text() != text:
            raise InputError(
                f"{self.run_path} holds a run with another configuration; give the same one to resume it, or another folder"
            )
        path.write_text(text)

    def _draw(self, step: int) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        rng = np.random.default_rng([self.config.seed, step])
        case = self.cases.get(self.cases.source.draw(rng))
        image, labels = draw_sample(case, self.config.network, self.config.crops, self.config.augmentation, rng)
        return image, labels, case.known

    def _update(self, step: int, image: Tensor, labels: Tensor, known: tuple[int, ...]) -> dict[str, float]:
        config = self.config
        image = image.to(config.device, memory_format=torch.channels_last_3d)
        labels = labels.to(config.device)
        torch.manual_seed(int(np.random.SeedSequence([config.seed, step, 1]).generate_state(1)[0]))
        for group in self.optimizer.param_groups:
            group["lr"] = config.rate(step)
        output = self.network(image)
        if config.network == "localization":
            loss, prediction = localization_loss(labels, output), output
        else:
            loss = segmentation_loss(labels, output, known, smallest=config.smallest)
            prediction = output.probabilities
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        row = {"loss": float(loss.detach()), "learning_rate": config.rate(step)}
        if config.gradient_norm > 0:
            row["gradient_norm"] = float(nn.utils.clip_grad_norm_(self.network.parameters(), config.gradient_norm))
        self.optimizer.step()
        self.average.update(self.network, step)
        row.update(dice(labels, prediction.detach().argmax(1), prediction.shape[1]))
        return row


def build(network: str, dropout: float) -> nn.Module:
    """The network of that name, He initialized."""
    if network == "localization":
        return localization_network(dropout)
    if network == "segmentation":
        return SpatialConfigurationNet(dropout=dropout)
    raise InputError(f"there is no network {network!r}; localization and segmentation are the two")


def dice(truth: Tensor, prediction: Tensor, labels: int) -> dict[str, float]:
    """Dice of each foreground label, NaN where neither has it; keys dice_1, dice_2, …"""
    result = {}
    for label in range(1, labels):
        t, p = truth == label, prediction == label
        total = int(t.sum()) + int(p.sum())
        result[f"dice_{label}"] = 2 * int((t & p).sum()) / total if total else math.nan
    return result
