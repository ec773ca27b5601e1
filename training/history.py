"""Loss and Dice of a run: history.csv with one row per step, and curves.png with their means."""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from efficientscn_trt.io.atomic import replacing

POINTS = 200  # at most, per curve


class History:
    """The rows of one run in folder `run`; `organs`: names of the organs of dice_1, dice_2, …"""

    def __init__(self, run: Path, organs: Sequence[str]) -> None:
        self._table, self._picture = run / "history.csv", run / "curves.png"
        self._organs = organs
        self.fields = [
            "step",
            "loss",
            "learning_rate",
            "seconds",
            *(f"dice_{k + 1}" for k in range(len(organs))),
        ]
        self._columns = {name: array("d") for name in self.fields}
        self._written = 0

    def __len__(self) -> int:
        return len(self._columns["step"])

    def add(self, row: dict[str, float]) -> None:
        """Add the row of the next step. Missing values become NaN."""
        for name, column in self._columns.items():
            column.append(row.get(name, math.nan))

    def write(self) -> None:
        """Append the new rows to the table, and draw the curves again."""
        with open(self._table, "a", newline="") as file:
            writer = csv.writer(file)
            if self._written == 0:
                writer.writerow(self.fields)
            for index in range(self._written, len(self)):
                writer.writerow([f"{self._columns[name][index]:.7g}" for name in self.fields])
        self._written = len(self)
        self._draw()

    def resume(self, steps: int) -> None:
        """Read the rows of the first `steps` steps from the table, and drop the later rows from it.

        The resumed run adds the later rows again.
        """
        if not self._table.exists():
            return
        with open(self._table, newline="") as file:
            rows = [
                row
                for row in csv.DictReader(file)
                if len(row) == len(self.fields) and None not in row.values()
            ]
        self._table.unlink()
        for row in rows:
            if float(row["step"]) < steps:
                self.add({name: float(value) for name, value in row.items()})
        self.write()

    def _draw(self) -> None:
        from matplotlib.figure import Figure

        if not len(self):
            return
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        width = -(-len(self) // POINTS)
        steps = _means(self._columns["step"], width)
        left.plot(steps, _means(self._columns["loss"], width), color="black")
        left.set(xlabel="step", ylabel="loss")
        for label, name in enumerate(self._organs, start=1):
            right.plot(steps, _means(self._columns[f"dice_{label}"], width), label=name)
        right.set(xlabel="step", ylabel="Dice of the training samples", ylim=(0, 1))
        right.legend(loc="lower right")
        figure.suptitle(
            f"each point is the mean of {width} steps" if width > 1 else "one point per step",
            fontsize="small",
        )
        with replacing(self._picture) as temporary:
            figure.savefig(temporary, format="png", dpi=110)


def _means(column: array[float], width: int) -> np.ndarray:
    """Means of `width` values each, without the NaNs; the mean of NaNs alone is NaN."""
    values = np.frombuffer(column, dtype=np.float64)
    padded = np.concatenate([values, np.full(-len(values) % width, np.nan)]).reshape(-1, width)
    count = np.isfinite(padded).sum(1)
    return np.where(count > 0, np.nansum(padded, 1) / np.maximum(count, 1), np.nan)
