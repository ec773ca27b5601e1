"""What `segment` returns, and how it is saved."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import OutputError
from .io.atomic import replacing
from .io.device_array import DeviceLabels
from .io.label_details import LabelDetails
from .io.orientation import Geometry
from .io.paths import as_path
from .io.segments import Algorithm, Segment
from .io.source import DicomSource, ScanInput
from .io.writing import check_dicom_name, check_extension, is_dicom_name, no_series, write
from .organs import OrganStatistics, Review, ScanRegion, review_of
from .organs.appearance import segments_of
from .organs.selection import is_of, mask_files, values_of
from .page.names import check_page_name
from .scan_warning import ScanWarning
from .triples import Size, Slices, Triple

if TYPE_CHECKING:
    import SimpleITK as sitk


@dataclass(frozen=True)
class RegionOfInterest:
    """The part of the scan that the segmentation network saw.

    Attributes:
        start_mm, end_mm: (z, y, x) in mm along LPS axes, from the corner of the scan; they may be outside the
            scan.
        voxels: slices of the scan's own array [z, y, x], cut at its border.
    """

    start_mm: Triple
    end_mm: Triple
    voxels: Slices


@dataclass(frozen=True)
class Segmentation:
    """A label map with its geometry, and what the run reports about itself.

    Attributes:
        array: uint8 [z, y, x] in the input's own axes; 0 is background. With `keep_on_device` it is on a GPU,
            and `numpy.asarray` copies it.
        geometry: the scan's size, spacing, origin and direction.
        label_names: by value, the background included.
        volumes_ml: the volume of each label but the background, in ml, by name.
        box: the region of interest.
        device, precision: those in use.
        seconds: by stage, in the order of `segmenter.STAGES`.
        peak_host_memory: the largest resident set of this process, in bytes, from its start to the end of the
            run.
        estimated_host_memory: the most that this process was expected to need for this scan, in bytes: itself
            with the networks, and what the size of the scan makes necessary.
        peak_device_memory: the peak size of the arena on the GPU, in bytes.
        statistics: of each organ, by name: those of `volumes_ml`, and for kidneys also "right_kidney" and
            "left_kidney". Empty with `keep_on_device`.
        region: the HU of the region of interest, a copy. None with `keep_on_device`.
        warnings: what needs a look.
        input_sizes: the size (z, y, x) in voxels of each network's input, by "localization" and
            "segmentation".
        bundle: the name of the bundle, and what tells it from others of that name.
        runtime: what ran the networks, with its version.
        input: what the scan was read from.
        source: the DICOM series that the scan was read from.
        label_details: what the bundle says of its labels beside their names.
    """

    array: np.ndarray | DeviceLabels
    geometry: Geometry
    label_names: dict[int, str]
    volumes_ml: dict[str, float]
    box: RegionOfInterest
    device: str
    precision: str
    seconds: dict[str, float]
    peak_host_memory: int
    estimated_host_memory: int = 0
    peak_device_memory: int = 0
    statistics: dict[str, OrganStatistics] = field(default_factory=dict)
    region: ScanRegion | None = field(default=None, repr=False)
    warnings: list[ScanWarning] = field(default_factory=list)
    input_sizes: dict[str, Size] = field(default_factory=dict)
    bundle: Algorithm | None = None
    runtime: str = ""
    input: ScanInput | None = None
    source: DicomSource | None = None
    label_details: tuple[LabelDetails, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The labels but the background: value, name, colour, and what each is in DICOM's codes."""
        return segments_of(self.label_names, self.label_details)

    @cached_property
    def image(self) -> sitk.Image:
        """The label map as an image with exactly the input's spacing, origin and direction."""
        from .io.itk import to_itk

        return to_itk(np.asarray(self.array), self.geometry)

    @cached_property
    def review(self) -> Review | None:
        """The reasons why a person should look at the label map. None with `keep_on_device`."""
        if not self.statistics:
            return None
        return review_of(self.statistics, self.box.voxels, self.geometry.size, self.warnings)

    def only(self, *organs: str) -> Segmentation:
        """The same with these organs alone. Labels keep their values; all else becomes background.

        Raises InputError for a name that is not in `label_names`.
        """
        kept = [0, *values_of(organs, self.label_names)]
        table = np.zeros(256, np.uint8)
        table[kept] = kept
        names = {value: self.label_names[value] for value in kept}
        return replace(
            self,
            array=table[np.asarray(self.array)],
            label_names=names,
            volumes_ml={name: ml for name, ml in self.volumes_ml.items() if name in organs},
            statistics={name: each for name, each in self.statistics.items() if is_of(name, organs)},
        )

    def save_each(self, folder: str | os.PathLike[str]) -> None:
        """Write a mask of each organ to `folder`, which must exist: liver.nii.gz, ... Its values are 0 and 1.

        Raises OutputError.
        """
        for value, path in mask_files(as_path(folder, OutputError), self.label_names).items():
            self.save_mask(self.label_names[value], path)

    def save_mask(self, organ: str, path: str | os.PathLike[str]) -> None:
        """Write a mask of `organ` to `path`, as `save` writes the label map. Its values are 0 and 1.

        Raises InputError for a name that is not in `label_names`, and OutputError.
        """
        (value,) = values_of([organ], self.label_names)
        self._write((np.asarray(self.array) == value).astype(np.uint8), path, {1: organ})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the label map to `path`, replacing a file that is there.

        The extension is .nii.gz, .nii, .nrrd, .mha, or .seg.nrrd: a segmentation of 3D Slicer, with names,
        colours and codes of the labels. For a scan from a DICOM series it may be .dcm: DICOM SEG.
        It is written beside `path` and renamed, so that `path` never has half a label map. NIfTI from a scan
        in NIfTI is placed by the very fields of the scan's header (sform, qform, codes, pixdim, units).
        Raises OutputError.
        """
        self._write(np.asarray(self.array), path, self.label_names)

    def save_rtstruct(self, path: str | os.PathLike[str]) -> None:
        """Write the outlines of the organs on the slices of the DICOM series as RTSTRUCT (.dcm).

        Raises OutputError, also if the scan is no DICOM series.
        """
        target = as_path(path, OutputError)
        check_dicom_name(target)
        source, bundle = self._series(target, "RTSTRUCT")
        from .io.dicom.structures import write_structures

        with replacing(target) as temporary:
            write_structures(np.asarray(self.array), source, self.segments, bundle, temporary)

    def save_sr(self, path: str | os.PathLike[str], seg: str | os.PathLike[str]) -> None:
        """Write volume and HU of each organ that was found as a DICOM structured report (.dcm, TID 1500).

        It refers to `seg`, the DICOM SEG that `save` wrote of this result. Raises OutputError, also if the
        scan is no DICOM series, or if no organ was found.
        """
        target = as_path(path, OutputError)
        check_dicom_name(target)
        source, bundle = self._series(target, "DICOM SR")
        from .io.dicom.measurements import Measurements, write_measurements

        found = {
            value: Measurements(each.ml, each.hu.mean, each.hu.sd) if each.hu else Measurements(each.ml)
            for value, name in self.label_names.items()
            if (each := self.statistics.get(name)) and each.voxels
        }
        with replacing(target) as temporary:
            seg_file = as_path(seg, OutputError)
            write_measurements(found, source, self.segments, bundle, seg_file, temporary)

    def report(self, path: str | os.PathLike[str], *, with_patient: bool = False) -> None:
        """Write a page about this result (.html): pictures, statistics, review, warnings, provenance.

        It is one file, for a browser or for paper. It names neither the patient nor files, unless
        `with_patient` is True: then it has the path of the scan, and for a DICOM series what its headers say
        of patient and study.
        Raises OutputError, also for a result whose label map was kept on the GPU.
        """
        target = as_path(path, OutputError)
        check_page_name(target)
        shown = self if with_patient else self._without_names()
        if shown.region is None or shown.review is None:
            raise OutputError(
                f"{target} needs the HU of the scan, but the result has none, because its label map was kept "
                "on the GPU, or because they were let go; segment without keep_on_device."
            )
        from .page.build import page_of
        from .page.case import Case

        case = Case(
            labels=np.asarray(shown.array),
            geometry=shown.geometry,
            region=shown.region,
            segments=shown.segments,
            statistics=shown.statistics,
            review=shown.review,
            warnings=shown.warnings,
            seconds=shown.seconds,
            device=shown.device,
            precision=shown.precision,
            runtime=shown.runtime,
            peak_host_memory=shown.peak_host_memory,
            estimated_host_memory=shown.estimated_host_memory,
            peak_device_memory=shown.peak_device_memory,
            bundle=shown.bundle,
            input=shown.input,
            source=shown.source,
            with_patient=with_patient,
        )
        page = page_of(case)
        with replacing(target) as temporary:
            temporary.write_text(page, encoding="utf-8", errors="backslashreplace")

    def _without_names(self) -> Segmentation:
        """The same, but neither the warnings nor the path name the patient."""
        return replace(
            self,
            warnings=[warning.without_names() for warning in self.warnings],
            input=self.input and ScanInput(self.input.kind),
        )

    def _write(self, array: np.ndarray, path: str | os.PathLike[str], names: dict[int, str]) -> None:
        target = as_path(path, OutputError)
        check_extension(target)
        if is_dicom_name(target):
            self._write_dicom(array, target, names)
            return
        write(array, self.geometry, target, segments_of(names, self.label_details))

    def _write_dicom(self, array: np.ndarray, target: Path, names: dict[int, str]) -> None:
        source, bundle = self._series(target, "DICOM SEG")
        from .io.dicom.segmentation import write_segmentation

        segments = segments_of(names, self.label_details)
        with replacing(target) as temporary:
            write_segmentation(array, self.geometry, source, segments, bundle, temporary)

    def _series(self, target: Path, kind: str) -> tuple[DicomSource, Algorithm]:
        """To what an object of this `kind` refers, and what made it. Raises OutputError if there is none."""
        if self.source is None or self.bundle is None:
            raise no_series(target, kind)
        return self.source, self.bundle
