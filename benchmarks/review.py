"""Show how `review` and the confidence tell good label maps from bad ones, on scans made worse on purpose.

An organ is bad if its DSC is less than 0.8, or if it is labelled (more than 5 ml) where there is none. A
label map is bad if one of its organs is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
from report import COLOURS, Report, figure, parser, say
from worsened import Worsened, worsened

from efficientscn_trt import Segmentation, Segmenter
from efficientscn_trt.errors import InputError
from efficientscn_trt.evaluation import dice
from efficientscn_trt.organs.review import LEAST_CONFIDENCE, MOST_UNCERTAIN
from efficientscn_trt.phantom import FIRST_UNSEEN_SEED, LABEL_NAMES, make_phantom

#: After those with which the limits of the rules were chosen.
FIRST_SEED = FIRST_UNSEEN_SEED + 100
LEAST_DSC, MOST_FALSE_ML = 0.8, 5.0
ORGANS = {value: name for value, name in enumerate(LABEL_NAMES) if value}


@dataclass(frozen=True)
class Organ:
    """One organ of a label map: whether it is bad, and its confidence, if it was found."""

    name: str
    dsc: float
    bad: bool
    mean: float | None
    uncertain_boundary: float | None

    def described(self) -> str:
        """Its numbers in a line."""
        verdict = f"DSC {self.dsc:.3f}, {'bad' if self.bad else 'good'}"
        if self.mean is None:
            return verdict
        return f"{verdict}, confidence {self.mean:.3f}, uncertain boundary {self.uncertain_boundary:.3f}"


@dataclass(frozen=True)
class Case:
    """A scan. `codes` are those of the reasons to review it; None if the scan was refused."""

    scan: str
    kind: str
    codes: tuple[str, ...] | None
    organs: tuple[Organ, ...] = ()

    @property
    def bad(self) -> bool:
        return any(organ.bad for organ in self.organs)


def main() -> None:
    """Segment the scans, and compare."""
    options = parser(__doc__)
    options.add_argument("--phantoms", type=int, default=30, help="number of phantoms")
    options.add_argument(
        "--scan",
        nargs=4,
        action="append",
        default=[],
        metavar=("NAME", "CT", "LABELS", "ORGANS"),
        help="also a CT with its ground truth, labelled as by the networks, for these organs (liver,spleen)",
    )
    arguments = options.parse_args()
    report = Report("What a review finds")
    segmenter = Segmenter(arguments.bundle, device="cpu", threads=arguments.threads)
    groups = {f"{arguments.phantoms} phantoms": list(_phantoms(segmenter, arguments.phantoms))}
    for name, ct, labels, organs in arguments.scan:
        image, truth = sitk.ReadImage(ct), sitk.ReadImage(labels)
        groups[name] = list(_cases(segmenter, name, image, truth, 0, organs.split(",")))
    for name, cases in groups.items():
        _write_kinds(report, name, cases)
    phantoms, cases = next(iter(groups.items()))
    _write_rules(report, phantoms, cases)
    _write_areas(report, phantoms, cases)
    everything = [case for cases in groups.values() for case in cases]
    report.results["cases"] = [
        {
            "scan": case.scan,
            "kind": case.kind,
            "refused": case.codes is None,
            "codes": case.codes or [],
            "organs": {organ.name: organ.described() for organ in case.organs},
        }
        for case in everything
    ]
    report.write(arguments, lambda results: _draw(groups[phantoms]))


def _phantoms(segmenter: Segmenter, count: int) -> Iterator[Case]:
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        phantom = make_phantom(seed)
        yield from _cases(segmenter, f"phantom {seed}", phantom.image, phantom.labels, seed)


def _cases(
    segmenter: Segmenter,
    scan: str,
    image: sitk.Image,
    labels: sitk.Image,
    seed: int,
    organs: Container[str] = LABEL_NAMES,
) -> Iterator[Case]:
    labels = sitk.Cast(labels, sitk.sitkUInt8)
    labels.CopyInformation(image)
    say(scan)
    for each in worsened(sitk.Cast(image, sitk.sitkInt16), labels, seed):
        try:
            result = segmenter.segment(each.image)
        except InputError:
            yield Case(scan, each.kind, None)
            continue
        assert result.review
        codes = tuple(reason.code for reason in result.review.reasons)
        yield Case(scan, each.kind, codes, tuple(_judged(result, each, organs)))


def _judged(result: Segmentation, scan: Worsened, organs: Container[str]) -> Iterator[Organ]:
    """Those of `organs`."""
    # A copy, because the overlap filter makes SimpleITK copy on write, after which a view would dangle.
    truth = sitk.GetArrayFromImage(scan.labels)
    scores = dice(result.image, scan.labels, ORGANS)
    for value, name in ORGANS.items():
        if name not in organs:
            continue
        found = result.statistics[name]
        there = bool((truth == value).any())
        bad = scores[value] < LEAST_DSC if there else found.ml > MOST_FALSE_ML
        sure = found.confidence
        numbers = (sure.mean, sure.uncertain_boundary) if sure else (None, None)
        yield Organ(name, scores[value], bad, *numbers)


def _write_kinds(report: Report, name: str, cases: list[Case]) -> None:
    kinds = dict.fromkeys(case.kind for case in cases)
    rows = [_counted(kind, [case for case in cases if case.kind == kind]) for kind in kinds]
    report.text(f"**{name}: whether a label map is bad, and whether `review` says yes**")
    report.table(
        ["scan", "refused", "bad", "of these: yes", "good", "of these: yes"],
        [*rows, _counted("all", cases)],
    )


def _write_rules(report: Report, name: str, cases: list[Case]) -> None:
    codes = Counter(code for case in cases for code in set(case.codes or ()))
    bad, good = _parted(cases)
    report.text(f"**{name}: label maps that each rule finds**")
    report.table(
        ["rule", f"of {len(bad)} bad", f"of {len(good)} good"],
        [
            [f"`{code}`", str(_having(code, bad)), str(_having(code, good))]
            for code in sorted(codes, key=lambda code: -_having(code, bad))
        ],
    )


def _write_areas(report: Report, name: str, cases: list[Case]) -> None:
    report.text(
        f"**{name}: how the confidence tells a bad organ from a good one, where the networks found it**"
    )
    report.table(
        ["organ", "bad", "good", "AUC, mean confidence", "AUC, uncertain boundary"],
        [_areas(organ, cases) for organ in (*ORGANS.values(), "all organs")],
    )


def _parted(cases: Iterable[Case]) -> tuple[list[Case], list[Case]]:
    """The bad ones and the good ones of those that were not refused."""
    done = [case for case in cases if case.codes is not None]
    return [case for case in done if case.bad], [case for case in done if not case.bad]


def _having(code: str, cases: Iterable[Case]) -> int:
    return sum(code in (case.codes or ()) for case in cases)


def _counted(kind: str, cases: list[Case]) -> list[str]:
    bad, good = _parted(cases)
    refused = len(cases) - len(bad) - len(good)
    flagged = (sum(bool(case.codes) for case in group) for group in (bad, good))
    found, false = (str(count) for count in flagged)
    return [kind, str(refused), str(len(bad)), found, str(len(good)), false]


def _areas(name: str, cases: Iterable[Case]) -> list[str]:
    organs = [organ for case in cases for organ in case.organs if organ.mean is not None]
    chosen = [organ for organ in organs if name in (organ.name, "all organs")]
    bad = sum(organ.bad for organ in chosen)
    return [name, str(bad), str(len(chosen) - bad), *(_area(chosen, score) for score in _SCORES.values())]


#: The larger, the more suspect.
_SCORES: dict[str, Callable[[Organ], float]] = {
    "mean confidence": lambda organ: -(organ.mean or 0),
    "uncertain boundary": lambda organ: organ.uncertain_boundary or 0,
}


def _area(organs: list[Organ], score: Callable[[Organ], float]) -> str:
    """The share of pairs of a bad and a good organ of which the bad one has the larger score."""
    bad, good = (
        np.array([score(organ) for organ in organs if organ.bad is wanted]) for wanted in (True, False)
    )
    if not (bad.size and good.size):
        return ""
    larger = (bad[:, None] > good).mean() + 0.5 * (bad[:, None] == good).mean()
    return f"{larger:.3f}"


def _draw(cases: Iterable[Case]) -> Any:
    """The ROC of both scores over all organs that were found, with the limits of the rules."""
    found = [organ for case in cases for organ in case.organs if organ.mean is not None]
    bad = np.array([organ.bad for organ in found])
    plot = figure(5.5, 5.0)
    axes = plot.subplots()
    limits = (-LEAST_CONFIDENCE, MOST_UNCERTAIN)
    for (name, score), limit, colour in zip(_SCORES.items(), limits, COLOURS, strict=False):
        values = np.array([score(organ) for organ in found])
        steps = np.concatenate([[np.inf], np.sort(values)[::-1]])
        false = [np.mean(values[~bad] >= step) for step in steps]
        true = [np.mean(values[bad] >= step) for step in steps]
        axes.plot(false, true, color=colour, label=name)
        axes.plot(np.mean(values[~bad] > limit), np.mean(values[bad] > limit), "o", color=colour)
    axes.set(xlabel="share of the good organs", ylabel="share of the bad organs", xlim=(0, 1), ylim=(0, 1.01))
    axes.set_aspect("equal")
    axes.legend(loc="lower right", title="suspect by; dots: the limits of the rules")
    return plot


if __name__ == "__main__":
    main()
