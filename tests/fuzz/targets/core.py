"""The compiled core's functions, called with any arguments, against NumPy and SciPy."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any, TypeVar

import numpy as np
from support import core_reference as reference
from support import scn_reference
from support.unet_reference import SLOPE, UNetReference

from efficientscn_trt import _core
from fuzz import mutation
from fuzz.choices import SCAN_TYPES, Choices
from fuzz.scans import check_sentence

T = TypeVar("T")

PACKAGES = ()
_INPUT_BYTES = 600
#: Above this, float32 sums may overflow.
_LARGE = 1e36
_WIDE_SIGMA = 50.0  # voxels; the rounding of thousands of weights adds up
_MOST_CROPPED = 60_000


def seeds() -> Iterator[bytes]:
    random = Random(0)
    for call in range(len(_CALLS)):
        for _ in range(8):
            # FuzzedDataProvider takes numbers from the end.
            yield random.randbytes(_INPUT_BYTES - 1) + bytes([call])


def mutate(data: bytes, random: Random) -> bytes:
    choice = random.random()
    if choice < 0.05:
        return random.randbytes(_INPUT_BYTES - 1) + data[-1:]
    if choice < 0.3 and len(data) > 20:  # other values for a few neighbouring choices
        at = random.randrange(len(data) - 8)
        return data[:at] + random.randbytes(8) + data[at + 8 :]
    return mutation.raw(data)


def check(data: bytes) -> None:
    choices = Choices(data)
    with np.errstate(all="ignore"):
        choices.of(_CALLS)(choices)


def result_of(call: Callable[[], T], valid: bool = False) -> T | None:
    """What `call` returns. None if it refuses its arguments, which `valid` ones do not allow."""
    try:
        return call()
    except ValueError as error:
        check_sentence(str(error))
        assert not valid, f"refused: {error}"
    except TypeError:
        assert not valid
    return None


def accepted(call: Callable[[], None]) -> bool:
    """Whether `call` returns, rather than refuse its arguments."""
    return result_of(lambda: [call()]) is not None  # type: ignore[func-returns-value]


def in_place(array: Any, types: tuple[str, ...], axes: int = 3) -> bool:
    """Whether the core can read this array."""
    return (
        isinstance(array, np.ndarray)
        and array.ndim == axes
        and array.size > 0
        and array.dtype in [np.dtype(each) for each in types]
        and array.flags.aligned
    )


def value_summary(choices: Choices) -> None:
    volume, threads = choices.array(choices.size(), SCAN_TYPES), choices.threads()
    valid = in_place(volume, SCAN_TYPES) and threads >= 0
    found = result_of(lambda: _core.value_summary(volume, threads), valid)
    if found is None:
        return
    values = np.array(volume)
    finite = values[np.isfinite(values)]
    assert found.nonfinite == values.size - finite.size
    assert found.low == (finite.min() if finite.size else math.inf)
    assert found.high == (finite.max() if finite.size else -math.inf)
    edges = [-np.inf, *found.edges.tolist(), np.inf]
    np.testing.assert_array_equal(found.counts, np.histogram(finite.astype(np.float64), edges)[0])


def mask_box(choices: Choices) -> None:
    mask = choices.array(choices.size(), ("|b1", "|u1"))
    valid = in_place(mask, ("|b1", "|u1"))
    found = result_of(lambda: [_core.mask_box(mask)], valid)
    if found is not None:
        inside = np.argwhere(np.array(mask).view(np.uint8))
        expected = (tuple(inside.min(axis=0)), tuple(inside.max(axis=0))) if len(inside) else None
        assert found == [expected]


def localization(choices: Choices) -> None:
    parameters = localization_parameters(choices)
    if parameters is None:
        return
    size, spacing = choices.size(), choices.spacing()
    if choices.once_in(6):
        size = tuple(choices.of([n, *mutation.WHOLE, 1500, 1 << 24]) for n in size)
    size, spacing = choices.triple(size), choices.triple(spacing)
    plan = result_of(lambda: _core.plan_localization(size, spacing, parameters))
    if plan is None:
        return
    size, spacing = tuple(map(int, size)), tuple(map(float, spacing))
    usual = (parameters.spacing_mm, parameters.spacing_slack)
    sizes = reference.localization_sizes(size, spacing, parameters.valid_sizes, *usual)
    assert (plan.spacing, plan.image_size) == ((sizes[0],) * 3, size)
    assert [list(plan.resized_size), list(plan.input_size)] == [*sizes[1:]]
    padded = zip(plan.pad_before, plan.resized_size, plan.pad_after, plan.input_size, strict=True)
    assert all(before + n + after == m and 0 <= after - before <= 1 for before, n, after, m in padded)
    check_sentence(repr(plan))
    mask_corners(choices, plan, parameters)
    if math.prod(size) > _MOST_CROPPED:
        return

    volume, threads = choices.array(size, SCAN_TYPES), choices.threads()
    valid = in_place(volume, SCAN_TYPES) and volume.shape == size and threads >= 0
    image = result_of(lambda: _core.localization_input(volume, plan, parameters, threads), valid)
    if image is not None:
        check_input(
            image,
            volume,
            spacing,
            parameters,
            parameters.padding_hu,
            lambda values, intensity: reference.localization_input(
                values, spacing, sizes, parameters.smoothing_sigma_mm, parameters.padding_hu, intensity
            ),
        )


def mask_corners(choices: Choices, plan: _core.LocalizationPlan, parameters: Any) -> None:
    """The box around a mask in the plan's input."""
    first = [choices.of([0, n - 1, n // 2, *mutation.WHOLE]) for n in plan.input_size]
    last = [choices.of([n - 1, n - 1, n // 2, *mutation.WHOLE]) for n in plan.input_size]
    valid = all(0 <= f <= t < n for f, t, n in zip(first, last, plan.input_size, strict=True))
    box = result_of(lambda: _core.box_from_mask(first, last, plan, parameters), valid)
    assert box is None or valid
    if box is None:
        box = _core.whole_volume_box(plan, parameters)
        first, last = [0, 0, 0], [n - 1 for n in plan.input_size]
    mm, margin = np.array(plan.spacing, np.float32), np.float32(parameters.box_margin_mm)
    assert box.start == tuple(mm * np.float32(np.subtract(first, plan.pad_before)) - margin)
    assert box.end == tuple(mm * np.float32(np.subtract(last, plan.pad_before) + 1) + margin)
    check_sentence(repr(box))


def segmentation(choices: Choices) -> None:
    planned = segmentation_plan(choices)
    if planned is None:
        return
    plan, size, spacing, parameters = planned
    if math.prod(plan.cropped_size) <= _MOST_CROPPED and choices.once_in(2):
        write_labels(choices, plan, size)
        return
    if max(plan.cropped_size) > _MOST_CROPPED or math.prod(size) > _MOST_CROPPED:
        return
    if choices.once_in(10):
        spacing = choices.spacing()
    volume, threads = choices.array(size, SCAN_TYPES), choices.threads()
    image = result_of(lambda: _core.segmentation_input(volume, spacing, plan, parameters, threads))
    if image is None:
        return
    crop = list(zip(plan.crop_start, plan.crop_stop, strict=True))

    def expected(values: np.ndarray, intensity: reference.Intensity) -> np.ndarray:
        if not all(first < n and stop > 0 for (first, stop), n in zip(crop, size, strict=True)):
            return np.full(plan.input_size, intensity(np.array(parameters.outside_hu)))
        sigma, outside = parameters.smoothing_sigma_mm, parameters.outside_hu
        return reference.segmentation_input(values, spacing, crop, plan.input_size, sigma, outside, intensity)

    small = math.prod(plan.cropped_size) <= _MOST_CROPPED
    check_input(image, volume, spacing, parameters, parameters.outside_hu, expected if small else None)


def segmentation_plan(choices: Choices) -> Any:
    """A checked plan, its image's size, its spacing and its parameters. None if it is refused."""
    parameters = segmentation_parameters(choices)
    if parameters is None:
        return None
    size, spacing = choices.size(), choices.spacing()
    start = [choices.number(-30, 0.9 * n * min(mm, 20)) for n, mm in zip(size, spacing, strict=True)]
    end = [each + choices.number(0, 60) for each in start]
    if choices.once_in(8):
        start[choices.whole(0, 2)] = choices.any_number()
    if choices.once_in(8):
        end[choices.whole(0, 2)] = choices.any_number()
    if choices.once_in(15):
        far = choices.of([500.0, -500.0, 8e6, -8e6])
        start, end = ([far + mm for mm in each] for each in (start, end))
    given = choices.triple(start), choices.triple(end)
    box = result_of(lambda: _core.Box(*given))
    if box is None:
        return None
    given_size, given_spacing = choices.triple(size), choices.triple(spacing)
    plan = result_of(lambda: _core.plan_segmentation(given_size, given_spacing, box, parameters))
    if plan is None:
        return None
    size, spacing = tuple(map(int, given_size)), tuple(map(float, given_spacing))
    corners = np.array(box.start, np.float32), np.array(box.end, np.float32)
    usual = (parameters.spacing_mm, parameters.spacing_threshold, parameters.spacing_slack)
    crop = reference.segmentation_crop(size, spacing, *corners, parameters.valid_sizes, *usual)
    assert plan.spacing == (crop.spacing,) * 3
    assert list(plan.input_size) == crop.input_size
    assert (list(plan.box.start), list(plan.box.end)) == (crop.start, crop.end)
    assert list(zip(plan.crop_start, plan.crop_stop, strict=True)) == crop.crop
    assert plan.cropped_size == tuple(stop - first for first, stop in crop.crop)
    for axis in range(3):
        # A crop beside the image on one axis is all padding there.
        (first, stop), n = crop.crop[axis], size[axis]
        inside = max(0, min(stop, n) - max(first, 0))
        assert min(*plan.paddings[axis], *plan.croppings[axis]) >= 0
        assert n - sum(plan.croppings[axis]) == inside == plan.cropped_size[axis] - sum(plan.paddings[axis])
        if inside:
            assert (plan.croppings[axis], plan.paddings[axis]) == (crop.croppings[axis], crop.paddings[axis])
    check_sentence(repr(plan))
    return plan, size, spacing, parameters


def check_input(
    image: np.ndarray,
    volume: np.ndarray,
    spacing: tuple[float, ...],
    parameters: Any,
    beside: float,
    expected: Callable[[np.ndarray, reference.Intensity], np.ndarray] | None,
) -> None:
    """A network's input: in range, and as expected if rounding does not count."""
    intensity = reference.Intensity(
        parameters.intensity_scale, parameters.intensity_min, parameters.intensity_max
    )
    values = np.array(volume).astype(np.float64)
    least, most = np.float32(intensity.least), np.float32(intensity.most)
    assert np.all((image >= least) & (image <= most) | np.isnan(image))
    largest = np.abs(values).max()
    if not largest < _LARGE:
        return
    assert np.isfinite(image).all()
    if expected is None or parameters.smoothing_sigma_mm > _WIDE_SIGMA * min(spacing):
        return
    error = 3e-6 * (max(largest, abs(beside)) / intensity.scale) + 1e-6 * max(abs(least), abs(most))
    np.testing.assert_allclose(image, expected(values, intensity), rtol=0, atol=error)


def write_labels(choices: Choices, plan: _core.SegmentationPlan, size: tuple[int, ...]) -> None:
    classes = choices.of([2, 5, 1, 3, 7])
    if choices.once_in(15) and math.prod(plan.cropped_size) < 2000:
        classes = choices.of([255, 256, 0])
    shape = [classes, *plan.input_size]
    if choices.once_in(20):
        shape[choices.whole(0, 3)] += 1
        classes = shape[0]
    kind = choices.whole(0, 4)
    generator = np.random.default_rng(choices.whole(0, 0xFFFF))
    if kind == 0:
        probabilities: Any = generator.random(shape, np.float32)
    elif kind == 1:
        probabilities = generator.integers(0, 3, shape).astype(np.float32) / 2
    elif kind == 2:
        probabilities = (0.5 + generator.integers(-2, 3, shape) * 2.0**-24).astype(np.float32)
    elif kind == 3:
        probabilities = np.zeros(shape, np.float32)
        probabilities[choices.whole(0, classes) :] = generator.choice([0, 0.7, np.nan, np.inf])
    else:
        probabilities = choices.array(shape, ("<f4",))
    stored = choices.array(size, ("|u1",))
    threads = choices.threads()
    valid = (
        in_place(probabilities, ("<f4",), 4)
        and probabilities.shape == (classes, *plan.input_size)
        and probabilities.flags.c_contiguous
        and 1 <= classes <= 255
        and in_place(stored, ("|u1",))
        and stored.flags.writeable
        and stored.shape == size
        and threads >= 0
    )
    counts = result_of(lambda: _core.write_labels(probabilities, plan, stored, threads), valid)
    if counts is None:
        return
    assert valid
    expected = reference.labels(
        np.array(probabilities), size, plan.cropped_size, plan.croppings, plan.paddings
    )
    np.testing.assert_array_equal(np.array(stored), expected)
    np.testing.assert_array_equal(counts, np.bincount(expected.ravel(), minlength=classes))
    found = _core.label_confidence(probabilities, plan, threads)
    assert len(found) == classes
    assert sum(each.voxels for each in found) <= math.prod(plan.input_size)
    for each in found:
        assert each.doubtful_faces <= each.faces <= 6 * each.voxels
        assert 0 <= each.mean <= 1
    if np.abs(probabilities).max() <= 1:
        assert not any(each.unsound for each in found)


def localization_parameters(choices: Choices) -> Any:
    arguments = {
        "spacing_mm": choices.parameter(6, 0.001, 1000),
        "spacing_slack": choices.parameter(0.02, 0, 10),
        "valid_sizes": choices.valid_sizes(),
        "padding_hu": choices.parameter(-1024, -1e6, 1e6),
        "smoothing_sigma_mm": choices.parameter(choices.of([0, 1]), 0, 100),
        "box_margin_mm": choices.parameter(10, 0, 10000),
        **_intensities(choices),
    }
    return result_of(lambda: _core.LocalizationParameters(**arguments))


def segmentation_parameters(choices: Choices) -> Any:
    arguments = {
        "spacing_mm": choices.parameter(2, 0.001, 1000),
        "spacing_threshold": choices.parameter(1.9, 0.001, 1000),
        "spacing_slack": choices.parameter(0.1, 0, 10),
        "valid_sizes": choices.valid_sizes(),
        "smoothing_sigma_mm": choices.parameter(choices.of([1, 0]), 0, 100),
        "outside_hu": choices.parameter(0, -1e6, 1e6),
        **_intensities(choices),
    }
    return result_of(lambda: _core.SegmentationParameters(**arguments))


def _intensities(choices: Choices) -> dict[str, float]:
    return {
        "intensity_scale": choices.parameter(2048, 0.001, 1e6),
        "intensity_min": choices.parameter(-1, -1e6, 1e6),
        "intensity_max": choices.parameter(1, -1e6, 1e6),
    }


def logits(choices: Choices, labels: int, size: tuple[int, ...]) -> Any:
    """Float32, mostly of this shape and in order."""
    if choices.once_in(6):
        return choices.array([labels, *size], ("<f4",))
    generator = np.random.default_rng(choices.whole(0, 0xFFFF))
    scale = choices.of([1.0, 0.01, 5.0, 50.0, 1e4, 1e38])
    return (generator.standard_normal((labels, *size)) * scale).astype(np.float32)


def combination(choices: Choices) -> None:
    labels = choices.of([2, 1, 5])
    small = (choices.of([1, 2, 3]), choices.of([1, 2, 3]), choices.of([4, 8, 1, 2, 12]))
    size = tuple(4 * n for n in small)
    local, spatial = logits(choices, labels, size), logits(choices, labels, small)
    threads = choices.threads()
    image = choices.array([1, *size], ("<f4",)) if choices.once_in(6) else np.full((1, *size), 0.5, "f4")
    pooled = result_of(lambda: _core.pool_inputs(image, local, threads))
    if pooled is not None:
        expected = scn_reference.pooled_inputs(np.array(image), np.array(local))
        error = 5e-7 * max(1, np.abs(expected[0]).max())
        np.testing.assert_allclose(pooled, expected, rtol=0, atol=error)
    before = np.array(local)
    if not accepted(lambda: _core.combine(local, spatial, threads)):
        return
    if np.isfinite(before).all() and np.abs(spatial).max() < _LARGE:
        total = np.asarray(local, np.float64).sum(axis=0)
        assert np.min(local) >= 0 and total.max() < 1 + 1e-5
        scale = max(np.abs(before).max(), np.abs(spatial).max(), 1)
        if scale < 300:
            p = scn_reference.combined(before, np.array(spatial))
            sums = p.sum(axis=0) + 1e-5
            assert (np.abs(local - p / sums) * sums).max() < 5e-7 * scale


_weights = cache(UNetReference.seeded)


@cache
def _network(levels: int, filters: int, inputs: int, outputs: int) -> tuple[UNetReference, _core.UNet]:
    weights = _weights(levels, filters, outputs, inputs=inputs)
    return weights, _core.UNet(weights.contracting, weights.expanding, weights.head, SLOPE)


def unet(choices: Choices) -> None:
    forms = [(2, 16, 1, 1), (2, 16, 5, 18), (2, 32, 1, 5), (3, 16, 2, 2)]
    levels, filters, inputs, outputs = choices.of(forms)
    size = tuple(choices.whole(1, 2) << (levels - 1) for _ in range(3))
    if choices.once_in(8):
        size = choices.size(200)
    weights, network = _network(levels, filters, inputs, outputs)
    assert (network.inputs, network.outputs) == (inputs, outputs)
    image = logits(choices, inputs, size)
    found = np.full((outputs, *size), np.nan, np.float32)
    into = found if not choices.once_in(8) else choices.array(found.shape, ("<f4",))
    threads = choices.of([1, 2, 3, 0, -1, 600])
    if not accepted(lambda: network.run(image, into, threads)):
        return
    if choices.once_in(4):
        network.release()
    if np.abs(image).max() < _LARGE:
        error = 1e-5 * max(1, np.abs(image).max())
        np.testing.assert_allclose(into, weights.logits(np.array(image)), rtol=0, atol=error)


def wrong_layer(choices: Choices, kernel: np.ndarray, bias: np.ndarray) -> Any:
    """Such a layer in another form, which mostly none may have."""
    return choices.of(
        [
            lambda: (kernel[:, :, :, :, :2], bias),
            lambda: (kernel, bias[:-1]),
            lambda: (kernel[:-1], bias),
            lambda: (kernel[0], bias),
            lambda: (kernel.transpose(1, 0, 2, 3, 4), bias),
            lambda: (kernel.astype(np.float64) * 1e300, bias),
            lambda: (kernel[::-1, :, ::-1], bias.astype(">f4")),
            lambda: (kernel.reshape(*kernel.shape[:2], 27, 1, 1), bias),
            lambda: (kernel * np.nan, bias),
            lambda: (kernel.tolist(), bias.tolist()),
            lambda: (kernel[:0], bias[:0]),
            lambda: (choices.array(kernel.shape, ("<f4",)), bias),
            lambda: (kernel,),
            lambda: None,
        ]
    )()


def unet_weights(choices: Choices) -> None:
    """Weights of which one or more have another shape, type or number."""
    filters = choices.of([16, 8, 17])
    weights = _weights(2, filters, 1)
    blocks: list[Any] = [list(map(list, weights.contracting)), list(map(list, weights.expanding))]
    head: Any = weights.head
    for layer in range(choices.whole(1, 2)):
        side, level = choices.whole(0, 1), choices.whole(0, 1)
        blocks[side][level][layer] = wrong_layer(choices, *blocks[side][level][layer])
        if choices.once_in(4):
            blocks[side] = choices.of([blocks[side][:1], blocks[side] * 2, [], None, [[]]])
            break
        if choices.once_in(8):
            head = choices.of([(head[0][:0], head[1][:0]), (head[0], head[1][:0]), None, blocks[0][0][0]])
            break
    slope = choices.of([SLOPE, math.nan, -1e38, 1e300, 0.0])
    network = result_of(lambda: _core.UNet(blocks[0], blocks[1], head, slope))
    if network is not None:
        kernels = [layer[0] for block in itertools.chain(*blocks) for layer in block]
        assert all(np.shape(kernel)[2:] == (3, 3, 3) for kernel in kernels), "kernels of another shape"
        size = (2, 4, 2)
        image = np.ones((network.inputs, *size), np.float32)
        network.run(image, np.zeros((network.outputs, *size), np.float32), 1)


def arena(choices: Choices) -> None:
    buffers = [
        (choices.of([choices.whole(0, 5000), *mutation.WHOLE]), choices.whole(-1, 4), choices.whole(0, 5))
        for _ in range(choices.whole(0, 12))
    ]
    found = result_of(lambda: _core.plan_arena(buffers))
    if found is not None:
        check_arena([(offset, *buffer) for offset, buffer in zip(found[0], buffers, strict=True)], found[1])


def check_arena(buffers: list[tuple[int, int, int, int]], total: int) -> None:
    """No two buffers (offset, bytes, first step, last step) share a byte in a step."""
    for offset, size, _, _ in buffers:
        assert offset % 256 == 0 and offset + size <= total
    for (a, size_a, *life_a), (b, size_b, *life_b) in itertools.combinations(buffers, 2):
        if life_a[0] <= life_b[1] and life_b[0] <= life_a[1]:
            assert a + size_a <= b or b + size_b <= a


def slabs(choices: Choices) -> None:
    slices = choices.of([choices.whole(0, 3000), 0, -1, -(1 << 63), 100_000])
    slice_bytes = choices.of([choices.whole(0, 10_000), *mutation.WHOLE])
    slab_bytes = choices.of([choices.whole(0, 100_000), *mutation.WHOLE])
    found = result_of(lambda: _core.plan_slabs(slices, slice_bytes, slab_bytes))
    if found is not None:
        assert [first for first, _ in found] == [0, *itertools.accumulate(n for _, n in found)][: len(found)]
        assert sum(count for _, count in found) == max(slices, 0)
        counts = [count for _, count in found]
        assert all(n == 1 or (1 < n <= 4096 and n * slice_bytes <= slab_bytes) for n in counts)


def stage_memory(choices: Choices) -> None:
    def whole() -> int:
        return choices.of([choices.whole(0, 100_000), choices.whole(0, 100), 0, *mutation.WHOLE])

    size = {"region": choices.triple(choices.size()), "sums_size": choices.triple(choices.size())}
    if choices.once_in(4):
        size[choices.of(["region", "sums_size"])] = [whole(), whole(), whole()]
    names = ("input_bytes", "activation_bytes", "output_bytes", "taps_bytes", "label_slice_bytes")
    numbers: dict[str, Any] = {name: whole() for name in (*names, "label_slices")}
    on_device = choices.once_in(2)
    voxel = choices.of([2, 1, 4, *mutation.WHOLE])
    found = result_of(
        lambda: _core.plan_stage_memory(voxel_bytes=voxel, scan_on_device=on_device, **size, **numbers)
    )
    if found is None:
        return
    check_arena([buffer[1:] for buffer in found["buffers"]], found["bytes"])
    bytes_of = {name: size for name, _, size, _, _ in found["buffers"]}
    for name in ("input", "activation", "output", "taps"):
        assert bytes_of[name] == numbers[f"{name}_bytes"]
    (z, y, x), (sums_z, sums_y, sums_x) = (list(map(int, size[name])) for name in ("region", "sums_size"))
    assert bytes_of["sums"] == 4 * sums_z * sums_y * sums_x
    slices = bytes_of["partial"] / (4 * sums_y * sums_x)
    assert 1 <= slices <= max(z, 1) and slices == int(slices)
    assert bytes_of["scan slab"] == (0 if on_device else slices * y * x * voxel)


def runs_on(choices: Choices) -> None:
    entries = "75-real 90 90a 100f-real 12-virtual native -5 90x 99999999999 2147483647"
    words = [choices.of([*entries.split(), choices.text()]) for _ in range(choices.whole(0, 3))]
    architectures = choices.of([" ", "\t", "  "]).join(words)
    major, minor = (choices.of([choices.whole(0, 15), *mutation.WHOLE, (1 << 31) - 1]) for _ in range(2))
    found = result_of(lambda: _core.runs_on(architectures, major, minor))
    if found is not None:
        assert found is _runs(architectures, major, minor)


def _runs(architectures: str, major: int, minor: int) -> bool:
    """The rules of nvcc's names, in another form."""
    capability = 10 * major + minor
    for word in re.split(r"[ \t\n\v\f\r]+", architectures):
        match = re.match(r"(-?[0-9]+)(.*)", word, re.S)
        if not match or not -(1 << 31) <= int(match[1]) < 1 << 31:
            continue
        built, suffix = int(match[1]), match[2]
        same_major = math.trunc(built / 10) == major and built <= capability
        if suffix.startswith("a"):
            runs = built == capability
        elif suffix.startswith("f"):
            runs = same_major
        else:
            runs = (suffix != "-virtual" and same_major) or (suffix != "-real" and built <= capability)
        if runs:
            return True
    return False


def cuda_problem(choices: Choices) -> None:
    found, driver = choices.of([0, 35, 100, 999, *mutation.WHOLE]), choices.of([13000, 0, *mutation.WHOLE])
    words, architectures = choices.text(), choices.of(["75-real 90-real", "90", choices.text()])
    devices = [
        (choices.text(), choices.whole(-1, 15), choices.whole(0, 9)) for _ in range(choices.whole(0, 3))
    ]
    problem = result_of(
        lambda: _core.cuda_problem(
            found, words, driver=driver, runtime=13000, architectures=architectures, devices=devices
        )
    )
    if problem is not None:
        runs = [_core.runs_on(architectures, *capability) for _, *capability in devices]
        assert (problem == "") == (driver != 0 and found == 0 and any(runs))
        if (words + architectures + "".join(name for name, _, _ in devices)).isprintable() and problem:
            check_sentence(problem)


_CALLS = (
    value_summary,
    mask_box,
    localization,
    localization,
    localization,
    segmentation,
    segmentation,
    segmentation,
    segmentation,
    combination,
    unet,
    unet_weights,
    arena,
    slabs,
    stage_memory,
    runs_on,
    cuda_problem,
)
