"""The training loop: Adam, batch 1, averaged weights. A run killed at any moment resumes to the same result.

All randomness of a step is drawn from (seed, step), so a checkpoint holds only weights, optimizer and step.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from efficientscn_trt.errors import DeviceError, InputError
from efficientscn_trt.io.atomic import replacing
from efficientscn_trt.system import usable_cores

from . import weights
from .cases import Cache
from .config import Config
from .ema import MovingAverage
from .history import History
from .losses import localization_loss, segmentation_loss
from .networks import SpatialConfigurationNet, localization_network, standardize_input
from .sampling import draw_sample

CHECKPOINT_SECONDS = 60.0
AHEAD = 4  # samples drawn ahead while the network is busy

Report = Callable[[int, dict[str, float]], None]
Sample = tuple[Tensor, Tensor, tuple[int, ...]]


class Trainer:
    """One run in folder `run`: config.json, checkpoint.pt, weights.npz (averaged), history.csv, curves.png.

    A folder with a checkpoint is resumed. `start`: weights (.npz) to begin with instead of random ones.
    Raises InputError if the folder holds a run with another configuration, or if `start` cannot be read, and
    DeviceError if there is no such device.
    """

    def __init__(self, config: Config, cases: Cache, run: Path, start: Path | None = None) -> None:
        _check_device(config.device)
        self.config, self.cases, self.run = config, cases, run
        self.step = 0
        run.mkdir(parents=True, exist_ok=True)
        _claim(run / "config.json", config, cases, start)
        torch.manual_seed(config.seed)
        self.network = build(config.network, len(config.labels), config.dropout)
        if start is not None:
            weights.load(self.network, start)
        elif config.input_deviation_hu > 0:
            standardize_input(self.network, config.input_deviation_hu / 2048.0)
        self.network.to(config.device).train()
        for parameter in self.network.parameters():
            if parameter.ndim == 5:
                parameter.data = parameter.data.to(memory_format=torch.channels_last_3d)
        self.average = MovingAverage(self.network, config.moving_average)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate)
        self.history = History(run, ["organs"] if config.network == "localization" else config.labels)
        if (run / "checkpoint.pt").exists():
            self._resume()

    def train(self, report: Report | None = None) -> None:
        """Train to the configured number of steps. `report` gets each step's number (from 0) and values."""
        last = time.monotonic()
        # One thread draws, because it keeps up with a CPU and cannot prepare a case twice.
        with ThreadPoolExecutor(1) as pool:
            queue: deque[Future[Sample]] = deque()
            try:
                while self.step < self.config.steps:
                    while len(queue) < min(AHEAD, self.config.steps - self.step):
                        queue.append(pool.submit(self._draw, self.step + len(queue)))
                    began = time.perf_counter()
                    row = self._update(self.step, *queue.popleft().result())
                    row["seconds"] = time.perf_counter() - began
                    self.history.add({"step": float(self.step), **row})
                    self.step += 1
                    if report is not None:
                        report(self.step - 1, row)
                    if time.monotonic() - last > CHECKPOINT_SECONDS:
                        self.checkpoint()
                        last = time.monotonic()
            finally:
                for future in queue:
                    future.cancel()
        self.checkpoint()

    def checkpoint(self) -> None:
        """Write the run's state: first history and averaged weights, then the checkpoint.

        A run resumed from the checkpoint writes newer rows and weights again.
        """
        self.history.write()
        weights.save(self.average.network, self.run / "weights.npz")
        state = {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        with replacing(self.run / "checkpoint.pt") as temporary:
            torch.save(state, temporary)

    def _resume(self) -> None:
        path = self.run / "checkpoint.pt"
        state = torch.load(path, map_location=self.config.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = int(state["step"])
        self.history.resume(self.step)

    def _draw(self, step: int) -> Sample:
        rng = np.random.default_rng([self.config.seed, step])
        case = self.cases.get(self.cases.source.draw(rng))
        image, labels = draw_sample(
            case, self.config.network, self.config.crops, self.config.augmentation, rng
        )
        return image, labels, case.known

    def _update(self, step: int, image: Tensor, labels: Tensor, known: tuple[int, ...]) -> dict[str, float]:
        config = self.config
        image = image.to(config.device, memory_format=torch.channels_last_3d)
        labels = labels.to(config.device)
        # Dropout draws from this generator.
        torch.manual_seed(int(np.random.SeedSequence([config.seed, step, 1]).generate_state(1)[0]))
        rate = config.rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        output = self.network(image)
        if config.network == "localization":
            loss, prediction = localization_loss(labels, output, smallest=config.smallest), output
        else:
            loss = segmentation_loss(labels, output, known, smallest=config.smallest, balance=config.balance)
            prediction = output.probabilities
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if config.gradient_norm > 0:
            nn.utils.clip_grad_norm_(self.network.parameters(), config.gradient_norm)
        self.optimizer.step()
        self.average.update(self.network, step)
        counted = known if config.network == "segmentation" else (1,)
        return {
            "loss": float(loss.detach()),
            "learning_rate": rate,
            **dice(labels, prediction.detach().argmax(1), counted),
        }


def set_threads(threads: int) -> None:
    """Set the number of CPU threads; 0: all cores that the process may use.

    The last bits of a run's result depend on it.
    """
    torch.set_num_threads(threads or usable_cores())


def build(network: str, labels: int, dropout: float) -> nn.Module:
    """The network `localization`, or `segmentation` for the background and so many labels."""
    if network == "localization":
        return localization_network(dropout)
    return SpatialConfigurationNet(1 + labels, dropout)


def dice(truth: Tensor, prediction: Tensor, labels: tuple[int, ...]) -> dict[str, float]:
    """Dice of each label as dice_1, dice_2, …; NaN where neither map has it."""
    result = {}
    for label in labels:
        t, p = truth == label, prediction == label
        total = int(t.sum()) + int(p.sum())
        result[f"dice_{label}"] = 2 * int((t & p).sum()) / total if total else math.nan
    return result


def _check_device(name: str) -> None:
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"There is no {name}: PyTorch finds {torch.cuda.device_count()} GPUs on this machine; use "
            "another device, or install a PyTorch for your GPU."
        )


def _claim(path: Path, config: Config, cases: Cache, start: Path | None) -> None:
    """Write what decides the run's result to `path`. Raises InputError if another configuration is there."""
    try:
        digest = hashlib.sha256(start.read_bytes()).hexdigest() if start is not None else None
    except OSError as error:
        raise InputError(f"{start} cannot be read ({error.strerror}); give weights (.npz).") from error
    content = {**asdict(config), "cases": repr(cases.source), "start": digest}
    text = json.dumps(content, indent=1)
    if path.exists() and path.read_text() != text:
        differing = [
            key for key, value in json.loads(text).items() if json.loads(path.read_text()).get(key) != value
        ]
        raise InputError(
            f"{path.parent} holds a run with another configuration ({', '.join(differing)}); "
            "give its configuration to resume it, or another folder."
        )
    with replacing(path) as temporary:
        temporary.write_text(text)
