"""`efficientscn-trt segment`: label the organs in one scan."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import OutputError
from .options import (
    FILE,
    MemorySize,
    Names,
    check_outputs,
    check_picture,
    make_folder,
    quiet_option,
    segmenter_options,
)

if TYPE_CHECKING:
    from ..result import Segmentation


@click.command()
@click.argument("scan", metavar="INPUT", type=FILE)
@click.option(
    "-o",
    "--output",
    "outputs",
    required=True,
    multiple=True,
    type=FILE,
    metavar="FILE",
    help="Label map: .nii.gz, .nii, .nrrd, .mha, .seg.nrrd (3D Slicer), .dcm (DICOM SEG). May be repeated.",
)
@click.option("--rtstruct", type=FILE, metavar="DCM", help="Also write contours as DICOM RTSTRUCT.")
@click.option("--sr", type=FILE, metavar="DCM", help="Also write DICOM SR; it needs -o SEG.dcm.")
@click.option("--report", type=FILE, metavar="HTML", help="Also write a page: pictures, numbers, flags.")
@click.option("--with-patient", is_flag=True, help="Name the patient and INPUT on that page.")
@click.option("--preview", type=FILE, metavar="PNG", help="Also write a picture in three planes.")
@click.option(
    "--json", "document", type=FILE, metavar="FILE", help="Also write statistics, seconds and memory as JSON."
)
@click.option("--statistics", type=FILE, metavar="CSV", help="Also write a table of volume, HU, place.")
@click.option("--organs", type=Names(), metavar="NAME,...", help="Only these organs, in all outputs.")
@click.option(
    "--per-organ", type=FILE, metavar="DIR", help="Also write a mask of each organ: DIR/liver.nii.gz, ..."
)
@click.option("--series", metavar="UID", help="UID of the DICOM series to read, if INPUT has several of CT.")
@click.option(
    "--orientation",
    metavar="CODE",
    help="Where the axes x, y, z of INPUT run if its header does not say it, such as LPS.",
)
@click.option(
    "--max-memory",
    type=MemorySize(),
    metavar="SIZE",
    help="Refuse INPUT if it needs more memory than this, such as 4G.",
)
@segmenter_options
@quiet_option
def segment(
    scan: Path,
    outputs: tuple[Path, ...],
    rtstruct: Path | None,
    sr: Path | None,
    report: Path | None,
    with_patient: bool,
    preview: Path | None,
    document: Path | None,
    statistics: Path | None,
    organs: tuple[str, ...] | None,
    per_organ: Path | None,
    series: str | None,
    orientation: str | None,
    max_memory: int | None,
    bundle: Path | None,
    device: str,
    precision: str,
    threads: int,
    quiet: bool,
) -> None:
    """Label liver, kidneys, spleen and pancreas in INPUT, a CT scan of the abdomen.

    INPUT is in Hounsfield units: an image file (NIfTI, NRRD, MetaImage, ...) or a DICOM series (a folder with
    its files, a zip archive, a DICOMDIR, or one multi-frame file). The label map has the grid of the scan,
    voxel by voxel. Its values are 0 background, 1 liver, 2 kidneys, 3 spleen and 4 pancreas, unless the
    bundle names other labels.

    \b
    Examples:
        efficientscn-trt segment ct.nii.gz -o labels.nii.gz --preview preview.png
        efficientscn-trt segment dicom-folder/ -o labels.nii.gz --bundle my-bundle/
    """
    from .. import bundle as bundles
    from ..io.orientation import direction_of
    from ..io.wording import displayable
    from ..io.writing import check_dicom_outputs, check_output, is_dicom_name, is_nifti_name
    from ..organs.selection import chosen, mask_files
    from ..page.names import check_page_name
    from ..report.document import describe, write_json
    from ..report.organ_table import write_organ_table
    from ..segmenter import STAGES, Segmenter, default_bundle
    from .own_process import import_nibabel
    from .progress import show_stages
    from .tables import machine_line, organ_table, print_warnings, seconds_table, show, show_review

    if any(map(is_nifti_name, (scan, *outputs))):
        import_nibabel()
    if orientation is not None:
        direction_of(orientation)
    for output in outputs:
        check_output(output)
    check_dicom_outputs(outputs, {"RTSTRUCT": rtstruct, "DICOM SR": sr}, scan)
    check_picture(preview)
    if report:
        check_page_name(report)
    elif with_patient:
        raise click.UsageError("--with-patient is about the page; write that too: --report FILE.html.")
    loaded = bundles.load(default_bundle() if bundle is None else bundle)
    names = chosen(organs or (), dict(enumerate(loaded.manifest.labels)))
    masks = mask_files(per_organ, names).values() if per_organ else ()
    if per_organ:
        make_folder(per_organ)
    if sr and not any(map(is_dicom_name, outputs)):
        raise click.UsageError("--sr refers to the label map as DICOM SEG; write that too: -o seg.dcm.")
    check_outputs(*outputs, rtstruct, sr, report, preview, document, statistics, *masks, source=scan)
    with show_stages(len(STAGES) + 4, quiet=quiet) as stages:
        with stages.stage("networks"):
            segmenter = Segmenter(loaded, device, precision, threads, max_memory)
        result = segmenter.segment(scan, series=series, orientation=orientation, progress=stages.begin)
        if organs:
            result = result.only(*organs)
        with stages.stage("writing"):
            _save(result, outputs, rtstruct, sr)
            if per_organ:
                result.save_each(per_organ)
        if report is not None:
            with stages.stage("page"):
                result.report(report, with_patient=with_patient)
        if preview is not None:
            with stages.stage("preview"):
                from ..report.preview import note_for
                from ..report.preview import write as write_preview

                note = note_for(segmenter.bundle.manifest)
                write_preview(preview, result, title=displayable(scan.name), note=note)
    seconds = {"networks": stages.seconds.pop("networks"), **result.seconds, **stages.seconds}
    if document is not None:
        write_json(document, describe(scan, outputs, segmenter, result, seconds))
    if statistics is not None:
        write_organ_table(statistics, result.statistics)
    print_warnings(result.warnings)
    if not quiet:
        show(organ_table(result), seconds_table(seconds))
        show_review(result.review)
        click.echo(f"{', '.join(map(str, outputs))}: {machine_line(result)}")


def _save(result: Segmentation, outputs: tuple[Path, ...], rtstruct: Path | None, sr: Path | None) -> None:
    """Write the label map to each of `outputs`, contours and numbers. One that fails costs no other.

    Raises the first OutputError.
    """
    from ..io.writing import is_dicom_name

    errors: dict[Path, OutputError] = {}
    seg = next(filter(is_dicom_name, outputs), None)
    saves = {output: partial(result.save, output) for output in outputs}
    if rtstruct:
        saves[rtstruct] = partial(result.save_rtstruct, rtstruct)
    if sr and seg:
        saves[sr] = partial(result.save_sr, sr, seg)
    for path, save in saves.items():
        if path == sr and seg in errors:
            continue  # what is there may be another one
        try:
            save()
        except OutputError as error:
            errors[path] = error
    if errors:
        raise next(iter(errors.values()))
