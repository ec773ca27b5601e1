"""Recognise HU by a scan's extremes and histogram: refuse what cannot be HU, and warn of what is odd.

In HU air is −1000, fat −100, soft tissue 0 to 100 (with contrast up to 300), and little but bone is above
700. The limits were set on CTs of the trunk, whole, cropped, noisy, padded and resampled, and on the same
scans in other units. docs/reading.md lists them.
"""

from __future__ import annotations

import numpy as np

from .. import _core
from ..errors import InputError
from ..scan_warning import ScanWarning

#: No scanner writes a voxel outside this range, not even for padding and metal.
POSSIBLE_HU = (-65536.0, 65536.0)
#: Padding of −2000 to −3024 and metal up to 30,710 HU are common.
USUAL_HU = (-4096.0, 32767.0)


class _Shares:
    """Which share of a scan's voxels lies where. Edges are multiples of 10 HU."""

    def __init__(self, summary: _core.ValueSummary) -> None:
        self._edges = summary.edges
        self._bins = summary.counts / max(1, summary.counts.sum())
        self._cumulative = np.cumsum(self._bins)
        #: Those at the lowest value, but for one in a thousand, and at the highest, in its bin of 10 HU.
        self.lowest = self._bins[np.searchsorted(self._cumulative, 0.001)]
        self.highest = self._bins[np.searchsorted(self._edges, summary.high, "right")]
        around = np.convolve(self._bins, np.ones(5), "same")
        spikes = (self._bins > 0.002) & (self._bins > 0.6 * around)
        self._spikes = np.cumsum(self._bins * np.convolve(spikes, np.ones(3, bool), "same"))

    def below(self, edge: float) -> float:
        return float(self._cumulative[np.searchsorted(self._edges, edge)])

    def smooth_below(self, edge: float) -> float:
        """Those below, but for those at single values, as padding is."""
        return self.below(edge) - float(self._spikes[np.searchsorted(self._edges, edge)])

    def above(self, edge: float) -> float:
        return 1 - self.below(edge)

    def between(self, start: float, stop: float) -> float:
        return self.below(stop) - self.below(start)

    def median_above(self, edge: float) -> float:
        """The median of the voxels above `edge`, as the lower edge of its bin."""
        middle = 1 - self.above(edge) / 2
        return float(self._edges[int(np.searchsorted(self._cumulative, middle)) - 1])


def check_possible(name: str, low: float, high: float) -> None:
    """Refuse values from `low` to `high` of which some are beyond what any scanner writes.

    Raises InputError.
    """
    if low < POSSIBLE_HU[0] or high > POSSIBLE_HU[1]:
        raise InputError(
            f"{name} has values from {low:g} to {high:g}, which cannot be HU (air −1000, water 0, bone about "
            "1000); rescale it to HU."
        )


def check_values(name: str, summary: _core.ValueSummary) -> list[ScanWarning]:
    """Refuse a scan whose values cannot be HU; return a warning if they are odd.

    Raises InputError.
    """
    if summary.nonfinite:
        voxels = "1 voxel that is" if summary.nonfinite == 1 else f"{summary.nonfinite:,} voxels that are"
        raise InputError(
            f"{name} has {voxels} NaN or infinite, expected HU; replace them (outside the body with −1024)."
        )
    check_possible(name, summary.low, summary.high)
    values = f"has values from {summary.low + 0:g} to {summary.high + 0:g}"
    found = f"{name} {values}"
    shares = _Shares(summary)
    if reason := _other_unit(summary, shares):
        raise InputError(found + reason)
    oddity = _oddity(summary, shares)
    nameless = f"The scan {values}{oddity}"
    return [ScanWarning("unusual-values", found + oddity, nameless)] if oddity else []


def _other_unit(summary: _core.ValueSummary, shares: _Shares) -> str | None:
    """Why the values cannot be HU, as the end of a sentence, or None."""
    low, high = summary.low, summary.high
    scaled = "so it was scaled and is not in HU (air −1000, fat −100, water 0); give the scan in HU."
    if high - low <= 255 and low >= -200:
        return f", {scaled}"
    if low >= 0 and high >= 2**16 - 2000:
        return ", so negative HU (air −1000) were stored as unsigned numbers; read its voxels as int16."
    if low >= -50:
        return (
            ", but no air (−1000 HU) and no fat (−100 HU), so it is not in HU or no CT; check its rescale "
            "intercept."
        )
    air = shares.below(-700) - shares.below(-1200) + shares.smooth_below(-1200)
    masked = shares.between(0, 10) if shares.between(0, 10) > 0.5 else 0  # all but some organs set to 0
    tissue = shares.above(-50) - masked
    if air < 0.001 and tissue > 0.01 and shares.between(-20, 20) - masked > 0.9 * tissue:
        return f" and hardly any but those from −20 to 20, {scaled}"
    if _is_dense(shares) and (shares.between(-150, -30) < 0.05 or shares.above(700) > 0.3):
        return _too_dense(shares)
    return None


def _oddity(summary: _core.ValueSummary, shares: _Shares) -> str | None:
    """What is odd about the values, as the end of a sentence, or None."""
    if _is_dense(shares):
        return _too_dense(shares)
    return (
        _odd_air(summary, shares)
        or _odd_window(summary, shares)
        or _odd_tissue(shares)
        or _odd_extremes(summary)
    )


def _odd_air(summary: _core.ValueSummary, shares: _Shares) -> str | None:
    too_low = "lower than air (−1000 HU) and not all alike, as padding is; check its rescale"
    if (lowest := shares.smooth_below(-1200)) > 0.08:
        return f", and {_percent(lowest)} of its voxels are below −1200, {too_low} slope and intercept."
    if shares.below(-50) < 0.005:
        return (
            ", but next to none as low as air (−1000 HU) and fat (−100 HU); check that it is a CT, and its "
            "rescale intercept."
        )
    if shares.below(-950) < 0.001 and shares.lowest > 0.01:
        return (
            ", and next to none as low as air (−1000 HU), but many at the lowest value, so it was cut off, "
            "shifted or scaled; give the scan with all its HU, and check its rescale intercept."
        )
    air = shares.smooth_below(-900)
    if (low := shares.smooth_below(-1080)) > max(0.08, 0.35 * air):
        return f", and {_percent(low)} of its voxels are below −1080, {too_low} intercept."
    thin = shares.smooth_below(-600) - air
    if thin > 0.05 and air < 0.02 * thin:
        return (
            f", and {_percent(thin)} of its voxels are from −900 to −600, but next to none as low as air "
            "(−1000 HU); check that it shows little but lungs, or its rescale intercept."
        )
    return None


def _odd_window(summary: _core.ValueSummary, shares: _Shares) -> str | None:
    if shares.smooth_below(-700) < 0.001 and (thin := shares.between(-700, -200)) > 0.1:
        return (
            f", and next to none as low as air (−1000 HU), but {_percent(thin)} between −700 and −200, so it "
            "was scaled; give the scan in HU."
        )
    lung = shares.between(-700, -250)
    cut = summary.high < summary.edges[-1] and shares.highest > 0.003
    if cut and lung > max(0.05, shares.between(-150, -30)):
        return (
            f", of which many are at the highest value and {_percent(lung)} between −700 and −250, where in "
            "HU few are, so a window was stretched; give the scan in HU."
        )
    return None


def _odd_tissue(shares: _Shares) -> str | None:
    solid, soft = shares.above(-500), shares.between(-140, 300)
    if solid > 0.3 and soft < 0.5 * solid:
        return (
            f", of which {_percent(solid)} are above −500, but only {_percent(soft)} from −140 to 300, where "
            "in HU nearly all tissue is; check its rescale slope and intercept."
        )
    tissue = shares.above(-200)
    if tissue > 0.05 and not -140 <= (median := shares.median_above(-200)) < 300:
        return (
            f" and a median of about {median:g} among those above −200, expected −140 to 300 for tissue in "
            "HU; check its rescale slope and intercept."
        )
    if tissue < 0.005:
        return (
            f", of which {_percent(tissue)} are above −200, so it is nearly all air (−1000 HU); check that "
            "it shows a body, and its rescale intercept."
        )
    return None


def _odd_extremes(summary: _core.ValueSummary) -> str | None:
    if summary.low <= USUAL_HU[0] or summary.high > USUAL_HU[1]:
        return (
            ", far outside the usual HU (−1024 to about 3071); if these are padding or metal, check the "
            "label map beside them, else the rescale slope and intercept."
        )
    return None


def _is_dense(shares: _Shares) -> bool:
    return shares.above(700) > 0.05 and shares.above(700) > 0.5 * shares.above(100)


def _too_dense(shares: _Shares) -> str:
    return (
        f", and {_percent(shares.above(700))} of its voxels are above 700, where in HU little but bone is; "
        "check its rescale slope and intercept."
    )


def _percent(share: float) -> str:
    if share < 1e-4:
        return "none"
    return f"{100 * share:.{0 if share >= 0.1 else 1}f} %"
