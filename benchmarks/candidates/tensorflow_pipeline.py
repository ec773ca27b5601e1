"""The pipeline as its users run it today: TensorFlow on the CPU, float32, channels last, `tf.image.resize`.

Written from the description of the released inference code, step by step; nothing is fused or skipped.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from efficientscn_trt.measure.candidate import Outcome
from efficientscn_trt.triples import Triple

from .networks_of_bundle import read_weights

LOCALIZATION_SIZES = (tuple(range(32, 257, 16)), (32, 48, 64, 80), (32, 48, 64, 80))
SEGMENTATION_SIZES = ((32, 64, 96, 128, 160), (32, 64, 96, 128), (32, 64, 96, 128, 160))
UNKNOWN_SPACING_XYZ = (0.814528640267884, 0.814528640267884, 2.52795318268203)


class TensorflowPipeline:
    """Both networks in TensorFlow with the steps between them.

    Args:
        bundle: folder of the bundle whose weights it runs.
        threads: intra-op threads; 0 leaves the choice to TensorFlow.
    """

    def __init__(self, bundle: str, threads: int = 0) -> None:
        import tensorflow as tf

        from efficientscn_trt.export.reference.form import TRAINING
        from efficientscn_trt.export.reference.localization import Localization
        from efficientscn_trt.export.reference.scn import Scn

        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        self._tf = tf
        localization = Localization(read_weights("localization", Path(bundle, "localization.onnx")), TRAINING)
        segmentation = Scn(read_weights("segmentation", Path(bundle, "segmentation.onnx")), TRAINING)
        signature = [tf.TensorSpec([1, None, None, None, 1], tf.float32)]
        self._localize = tf.function(lambda x: localization(x), input_signature=signature)
        self._segment = tf.function(lambda x: segmentation(x).probabilities, input_signature=signature)
        self.note = f"TensorFlow {tf.__version__}, float32"

    def read(self, scan: Path) -> sitk.Image:
        """See `Candidate`."""
        return sitk.ReadImage(str(scan))

    def segment(self, scan: Path | sitk.Image) -> Outcome:
        """See `Candidate`."""
        seconds: dict[str, float] = {}
        clock = time.perf_counter()

        def lap(stage: str) -> None:
            nonlocal clock
            now = time.perf_counter()
            seconds[stage] = now - clock
            clock = now

        image = self.read(scan) if isinstance(scan, Path) else scan
        orientation = sitk.DICOMOrientImageFilter_GetOrientationFromDirectionCosines(image.GetDirection())
        oriented = sitk.DICOMOrient(image, "LPS")
        spacing_xyz = oriented.GetSpacing()
        if spacing_xyz == (1.0, 1.0, 1.0):
            spacing_xyz = UNKNOWN_SPACING_XYZ
        spacing = np.array(spacing_xyz[::-1], np.float32)
        volume = sitk.GetArrayFromImage(oriented).astype(np.float32)
        lap("read")
        network_input, pad_before, coarse = self._localization_input(volume, spacing)
        sizes = {"localization": network_input.shape}
        lap("localization input")
        mask = self._localize(network_input[None, ..., None]).numpy()[0, ..., 0]
        start, end = _box(mask, pad_before, coarse)
        lap("localization")
        network_input, box, crop = self._segmentation_input(volume, spacing, start, end)
        sizes["segmentation"] = network_input.shape
        lap("segmentation input")
        probabilities = self._segment(network_input[None, ..., None]).numpy()[0]
        lap("segmentation")
        labels = self._labels(probabilities, volume.shape, crop)
        result = sitk.GetImageFromArray(labels)
        result.CopyInformation(oriented)
        result = sitk.DICOMOrient(result, orientation)
        result.CopyInformation(image)
        lap("labels")
        seconds["statistics"] = 0.0  # the reference has none
        return Outcome(lambda path: sitk.WriteImage(result, str(path), True), box, sizes, seconds)

    def _resize(self, array: np.ndarray, size: tuple[int, ...], method: str) -> np.ndarray:
        """Resize `array` [z, y, x, c] to `size`: planes first, then z, because `tf.image.resize` is 2-D."""
        tf = self._tf
        planes = tf.image.resize(array, size[1:], method=method)
        depth, channels = array.shape[0], array.shape[-1]
        rows = tf.reshape(planes, [1, depth, size[1] * size[2], channels])
        rows = tf.image.resize(rows, [size[0], size[1] * size[2]], method=method)
        return tf.reshape(rows, [*size, channels]).numpy()

    def _localization_input(
        self, volume: np.ndarray, spacing: np.ndarray
    ) -> tuple[np.ndarray, list[int], float]:
        extent = np.array(volume.shape) * spacing
        maximum = np.array([sizes[-1] for sizes in LOCALIZATION_SIZES])
        growth = float(np.max(np.ceil(extent / 6.0) / maximum)) + 0.02
        coarse = 6.0 * growth if growth > 1.0 else 6.0
        size = tuple(int(n) for n in np.ceil(extent / coarse))
        resized = self._resize(volume[..., None], size, "area")[..., 0]
        padding = []
        for n, sizes in zip(size, LOCALIZATION_SIZES, strict=True):
            missing = _valid(n, sizes) - n
            padding.append((missing // 2, missing - missing // 2))
        padded = np.pad(resized, padding, constant_values=-1024.0)
        network_input = np.clip(padded / 2048.0, -1.0, 1.0).astype(np.float32)
        return network_input, [before for before, _ in padding], coarse

    def _segmentation_input(
        self, volume: np.ndarray, spacing: np.ndarray, start: np.ndarray, end: np.ndarray
    ) -> tuple[np.ndarray, tuple[Triple, Triple], list[tuple[int, int]]]:
        maximum = np.array([sizes[-1] for sizes in SEGMENTATION_SIZES])
        needed = np.max((end - start) / maximum.astype(np.float32))
        target = np.float32(2.0 if needed <= 1.9 else needed + 0.1)  # its last bit decides a floor below
        size = tuple(
            _valid(int(math.ceil(e) / float(target)), sizes)
            for e, sizes in zip(end - start, SEGMENTATION_SIZES, strict=True)
        )
        centre = (start + end) / 2.0
        half = np.floor(np.array(size, np.float32) * target / np.float32(2.0))
        first = np.floor((centre - half) / spacing).astype(int)
        last = np.ceil((centre + half + 1.0) / spacing).astype(int)
        smoothed = self._smooth(volume, 1.0 / spacing)
        inside = tuple(
            slice(max(f, 0), max(min(n, s), 0)) for f, n, s in zip(first, last, volume.shape, strict=True)
        )
        outside = [(max(-f, 0), max(n - s, 0)) for f, n, s in zip(first, last, volume.shape, strict=True)]
        crop = np.pad(smoothed[inside], outside)
        resized = self._resize(crop[..., None], size, "area")[..., 0]
        bounds = [(int(f), int(n)) for f, n in zip(first, last, strict=True)]
        box = tuple((centre - half).tolist()), tuple((centre + half).tolist())
        return np.clip(resized / 2048.0, -1.0, 1.0).astype(np.float32), box, bounds

    def _smooth(self, volume: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Smooth the whole volume, as released: a Gaussian along each axis, mirrored at the edges."""
        tf = self._tf
        radius = [math.ceil(4.0 * float(s) + 0.5) for s in sigma]
        image = tf.pad(volume[None, ..., None], [(0, 0), *((r, r) for r in radius), (0, 0)], "SYMMETRIC")
        for axis in range(3):
            offsets = np.arange(-radius[axis], radius[axis] + 1)
            taps = np.exp(-0.5 * (offsets / float(sigma[axis])) ** 2)
            shape = [1] * 5
            shape[axis] = taps.size
            kernel = (taps / taps.sum()).astype(np.float32).reshape(shape)
            image = tf.nn.conv3d(image, kernel, [1] * 5, "VALID")
        return image.numpy()[0, ..., 0]

    def _labels(
        self, probabilities: np.ndarray, shape: tuple[int, ...], crop: list[tuple[int, int]]
    ) -> np.ndarray:
        size = tuple(last - first for first, last in crop)
        labels = np.argmax(self._resize(probabilities, size, "bilinear"), axis=-1).astype(np.uint8)
        whole = np.zeros(shape, np.uint8)
        inside = tuple(slice(max(f, 0), max(min(n, s), 0)) for (f, n), s in zip(crop, shape, strict=True))
        kept = tuple(slice(i.start - f, i.stop - f) for i, (f, _) in zip(inside, crop, strict=True))
        whole[inside] = labels[kept]
        return whole


def _valid(n: int, sizes: tuple[int, ...]) -> int:
    return next((size for size in sizes if size > n), sizes[-1])


def _box(mask: np.ndarray, pad_before: list[int], spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Return start and end of the organs in the padded mask, in mm, with a margin of 10 mm on each side."""
    if not mask.any():
        first, last = np.zeros(3, int), np.array(mask.shape) - 1
    else:
        found = np.argwhere(mask)
        first, last = found.min(axis=0), found.max(axis=0)
    before = np.array(pad_before)
    start, end = spacing * (first - before) - 10.0, spacing * (last + 1 - before) + 10.0
    return start.astype(np.float32), end.astype(np.float32)
