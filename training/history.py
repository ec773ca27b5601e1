"""Loss and Dice of a run, a row a step: history.csv, and curves.png of running means."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from efficientscn_trt.phantom import LABEL_NAMES

ORGANS = LABEL_NAMES[1:]


class History:
    """Rows of one run. `names`: what dice_1, dice_2, … are of; the organs unless given."""

    def __init__(self, run: Path, names: Sequence[str] | None = None) -> None:
        self.run = run
        self.names = list(names or ORGANS)
        self.rows: list[dict[str, float]] = []

    def add(self, step: int, row: dict[str, float]) -> None:
        self.rows.append({"step": float(step), **row})

    def read(self, steps: int) -> None:
        """Read the rows of the first `steps` steps back."""
        path = self.run / "history.csv"
        if path.exists():
            with open(path, newline="") as file:
                rows = [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]
            self.rows = [row for row in rows if row["step"] < steps]

    def write(self) -> None:
        """Write the table and the picture, each at once or not at all."""
        if not self.rows:
            return
        fields = list(dict.fromkeys(key for row in self.rows for key in row))
        temporary = self.run / "history.csv.part"
        with open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, fields)
            writer.writeheader()
            writer.writerows(self.rows)
        os.replace(temporary, self.run / "history.csv")
        self._draw(self.run / "curves.png")

    def _draw(self, path: Path) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        steps = np.array([row["step"] for row in self.rows])
        left.plot(steps, _running_mean(np.array([row["loss"] for row in self.rows])), color="black")
        left.set(xlabel="step", ylabel="loss (running mean)")
        for label, name in enumerate(self.names, start=1):
            values = np.array([row.get(f"dice_{label}", np.nan) for row in self.rows])
            right.plot(steps, _running_mean(values), label=name)
        right.set(xlabel="step", ylabel="Dice of the step's sample (running mean)", ylim=(0, 1))
        right.legend(loc="lower right")
        temporary = path.with_name(path.name + ".part")
        figure.savefig(temporary, dpi=110, format="png")
        os.replace(temporary, path)


def _running_mean(values: np.ndarray) -> np.ndarray:
    window = max(1, min(50, len(values) // 10))
    valid = np.isfinite(values)
    kernel = np.ones(window)
    total = np.convolve(np.where(valid, values, 0), kernel)[: len(values)]
    count = np.convolve(valid.astype(float), kernel)[: len(values)]
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
