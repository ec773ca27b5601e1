"""The trunk around the organs: skin, fat, muscular wall, ribs, spine and lungs, and the patient's table."""

from __future__ import annotations

import numpy as np

from .anatomy import Tissue, Trunk
from .canvas import Canvas
from .shapes import Floats

AIR_HU = -1000.0


def _skin_distance(canvas: Canvas, trunk: Trunk) -> Floats:
    """The distance in mm to the skin, along the ray from the axis of the trunk."""
    u = canvas.x * np.float32(1 / trunk.half_width)
    v = canvas.y * np.float32(1 / trunk.half_depth)
    u, v = u * u, v * v
    # A squareness of 1 is an ellipse, and of 0 nearly a rectangle.
    k = np.sqrt(np.sqrt(u * u + v * v + np.float32(2 * trunk.squareness) * u * v))
    radius = np.sqrt(canvas.x * canvas.x + canvas.y * canvas.y)
    return radius - radius / np.maximum(k, np.float32(1e-6))


def paint_trunk(canvas: Canvas, trunk: Trunk, tissue: Tissue) -> tuple[Floats, Floats]:
    """Paint the wall, ribs and lungs on a canvas of air.

    Returns the distances in mm to the skin and to the wall of the abdominal cavity, negative inside.
    """
    skin = _skin_distance(canvas, trunk)
    canvas.fill(skin, tissue.muscle * 0.4)
    canvas.fill(skin + np.float32(2), tissue.fat + np.float32(6) * canvas.texture)
    wall = skin + np.float32(trunk.fat)
    canvas.fill(wall, tissue.muscle + np.float32(6) * canvas.texture)
    cavity = wall + np.float32(trunk.wall)
    canvas.fill(cavity, tissue.fat + np.float32(10) * canvas.texture)
    _lungs(canvas, trunk, tissue, cavity)
    _ribs(canvas, trunk, tissue, wall)
    return skin, cavity


def _lungs(canvas: Canvas, trunk: Trunk, tissue: Tissue, cavity: Floats) -> None:
    x, y, z = canvas.x, canvas.y, canvas.z
    domes = []
    for middle, top in ((-70.0, trunk.right_dome), (72.0, trunk.left_dome)):
        dx, dy = (x - np.float32(middle)) * np.float32(1 / 70), (y + np.float32(12)) * np.float32(1 / 85)
        domes.append(np.float32(top) - np.float32(62) * (dx * dx + dy * dy))
    diaphragm = np.maximum(domes[0], domes[1])
    mediastinum = np.float32(30) - np.abs(x - np.float32(6))
    above = diaphragm - z
    canvas.fill(np.maximum(cavity, above * np.float32(0.6)), tissue.muscle)
    lung = np.maximum(
        np.maximum(cavity + np.float32(3), (above + np.float32(4)) * np.float32(0.6)), mediastinum
    )
    canvas.fill(lung, tissue.lung + np.float32(25) * canvas.texture)


def _ribs(canvas: Canvas, trunk: Trunk, tissue: Tissue, wall: Floats) -> None:
    across = np.abs(wall + np.float32(trunk.wall * 0.6)) * np.float32(1 / 4.5)
    height = canvas.z - np.float32(trunk.rib_slope) * canvas.y - np.float32(trunk.rib_phase)
    along = np.abs(np.mod(height, np.float32(28)) - np.float32(14)) * np.float32(1 / 6.5)
    ring = (np.sqrt(across * across + along * along) - 1) * np.float32(4.5)
    # None below the costal arch, which climbs towards the front.
    arch = np.float32(-20) - np.float32(0.75) * canvas.y - canvas.z + np.abs(canvas.x) * np.float32(-0.45)
    canvas.fill(np.maximum(ring, arch + np.float32(20)), tissue.bone * 0.75)


def paint_spine(canvas: Canvas, trunk: Trunk, tissue: Tissue) -> None:
    """Paint vertebral bodies, discs, canal and posterior elements over everything else on the midline."""
    x, y, z = canvas.x, canvas.y, canvas.z
    within = np.abs(np.mod(z, np.float32(trunk.vertebra)) - np.float32(trunk.vertebra / 2))
    disc = within - np.float32(trunk.vertebra / 2 - 4)  # positive in a disc
    y_body = y - np.float32(60)
    body = np.sqrt((x * np.float32(1 / 1.2)) ** 2 + y_body * y_body) - np.float32(18)
    canvas.fill(np.maximum(body, -disc), tissue.disc)
    bone = np.maximum(body, disc)
    canvas.fill(bone, tissue.bone)
    canvas.fill(bone + np.float32(2.5), tissue.marrow + np.float32(15) * canvas.texture)
    canal = np.sqrt(x * x + (y - np.float32(87)) ** 2) - np.float32(8)
    arch = np.maximum(canal - np.float32(5), within - np.float32(trunk.vertebra * 0.38))
    spinous = np.maximum(np.abs(x) - np.float32(3.5), np.abs(y - np.float32(102)) - np.float32(10))
    transverse = np.maximum(np.abs(y - np.float32(84)) - np.float32(4), np.abs(x) - np.float32(38))
    level = within - np.float32(trunk.vertebra * 0.22)
    canvas.fill(np.maximum(np.minimum(spinous, transverse), level), tissue.bone * 0.8)
    canvas.fill(arch, tissue.bone * 0.9)
    canvas.fill(canal, 35.0)


def paint_table(canvas: Canvas, depth: float) -> None:
    """Paint a curved table top, its middle `depth` mm behind the origin. It is not deformed with the body."""
    x = canvas.axes[0].astype(np.float32)[None, None, :]
    y = canvas.axes[1].astype(np.float32)[None, :, None]
    surface = y - np.float32(depth) + x * x * np.float32(1 / 1600)
    plate = np.maximum(np.abs(surface) - np.float32(3), np.abs(x) - np.float32(210))
    # Only where there is air.
    canvas.fill(np.maximum(plate, np.minimum(canvas.hu + np.float32(600), np.float32(50))), -350.0)
