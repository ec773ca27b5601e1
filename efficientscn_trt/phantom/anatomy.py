"""Position, shape and HU of the organs of one phantom.

Body coordinates are in mm: x to the patient's left, y to the back, z to the head (LPS). The origin is the
middle of the trunk at the height of the first lumbar vertebra. Lengths are those of an adult; the scale of
the body is applied to the coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .shapes import Difference, Ellipsoid, Point, Shape, Tube, Union

BACKGROUND, LIVER, KIDNEYS, SPLEEN, PANCREAS = range(5)


@dataclass(frozen=True)
class Tissue:
    """HU of each tissue."""

    fat: float
    muscle: float
    bone: float
    marrow: float
    disc: float
    lung: float
    blood: float
    vein: float
    liver: float
    spleen: float
    kidney: float
    pancreas: float
    bowel_wall: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Tissue:
        """Draw the HU of one scan: unenhanced, arterial or portal venous, with one dose of contrast agent and
        one uptake per organ.
        """
        u = rng.uniform
        contrast = 0.0 if rng.random() < 0.15 else float(u(0.4, 1.3))
        arterial = float(u(0.0, 1.0))
        liver = float(u(48, 65) + contrast * u(35, 60) * (1 - 0.5 * arterial))
        if rng.random() < 0.1:  # fatty liver
            liver -= float(u(15, 40))
        return cls(
            fat=float(u(-115, -85)),
            muscle=float(u(45, 65) + 8 * contrast),
            bone=float(u(350, 650)),
            marrow=float(u(120, 260)),
            disc=float(u(70, 110)),
            lung=float(u(-880, -760)),
            blood=float(u(38, 48) + contrast * u(90, 140) * (1 + arterial)),
            vein=float(u(38, 48) + contrast * u(60, 120)),
            liver=liver,
            spleen=float(u(42, 56) + contrast * u(50, 85)),
            kidney=float(u(28, 38) + contrast * u(110, 170)),
            pancreas=float(u(32, 46) + contrast * u(35, 65)),
            bowel_wall=float(u(35, 50) + contrast * u(15, 40)),
        )


@dataclass(frozen=True)
class Trunk:
    """The trunk: half-widths at the skin, thickness of fat and of the muscular wall, cross-section, domes of
    the diaphragm, vertebrae and ribs.
    """

    half_width: float
    half_depth: float
    fat: float
    wall: float
    squareness: float
    right_dome: float
    left_dome: float
    vertebra: float
    rib_phase: float
    rib_slope: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Trunk:
        u = rng.uniform
        fat = float(u(6, 26))
        return cls(
            half_width=float(u(148, 158)) + fat,
            half_depth=float(u(100, 108)) + fat,
            fat=fat,
            wall=float(u(13, 18)),
            squareness=float(u(0.55, 0.85)),
            right_dome=float(u(112, 132)),
            left_dome=float(u(104, 122)),
            vertebra=float(u(30, 36)),
            rib_phase=float(u(0, 28)),
            rib_slope=float(u(0.3, 0.6)),
        )


@dataclass(frozen=True)
class Organ:
    """A painted structure. A shell of `shell` mm with `shell_hu` separates it from its neighbours. With
    `only_in` it is painted only over that label.
    """

    shape: Shape
    hu: float
    label: int = BACKGROUND
    texture: float = 3.0
    shell: float = 0.0
    shell_hu: float = 0.0
    only_in: int | None = None


def _jitter(rng: np.random.Generator, point: Point, by: float) -> Point:
    x, y, z = (float(value + rng.uniform(-by, by)) for value in point)
    return x, y, z


def _tube(
    rng: np.random.Generator, points: list[Point], radii: list[float], by: float, flatten: float = 1.0
) -> Tube:
    swell = float(rng.uniform(0.88, 1.15))
    return Tube(tuple(_jitter(rng, p, by) for p in points), tuple(r * swell for r in radii), flatten)


def _scaled(rng: np.random.Generator, radii: Point, low: float, high: float) -> Point:
    x, y, z = (float(r * rng.uniform(low, high)) for r in radii)
    return x, y, z


def draw_organs(rng: np.random.Generator, tissue: Tissue) -> list[Organ]:
    """Everything in the trunk but the spine, in painting order. Labelled organs come last, because later
    organs cover earlier ones.
    """
    gap = float(rng.uniform(1.5, 4.0))
    return [
        *_vessels_and_heart(rng, tissue),
        *_bowel(rng, tissue),
        *_stomach(rng, tissue),
        _liver(rng, tissue),
        *_liver_contents(rng, tissue),
        _spleen(rng, tissue, gap),
        *_kidneys(rng, tissue),
        *_pancreas(rng, tissue, gap),
    ]


def _vessels_and_heart(rng: np.random.Generator, tissue: Tissue) -> list[Organ]:
    heart = Ellipsoid(_jitter(rng, (22, -28, 168), 8), _scaled(rng, (58, 46, 46), 0.9, 1.1), (0.3, 0.2, 0.4))
    psoas = [
        Tube(((side * 30, 62, 10), (side * 42, 56, -60), (side * 58, 40, -190)), (7, 20, 26))
        for side in (-1, 1)
    ]
    back = [Tube(((side * 36, 92, -260), (side * 34, 92, 260)), (25, 22), 1.3) for side in (-1, 1)]
    aorta = _tube(rng, [(8, 26, -95), (9, 28, 0), (12, 30, 90), (22, 40, 220)], [8, 10, 11, 12], 3)
    cava = _tube(rng, [(-18, 30, -95), (-20, 26, 0), (-24, 18, 80), (-16, 4, 130)], [10, 11, 12, 12], 3)
    iliac = [
        Ellipsoid((side * 98, 32, -225), (11, 52, 62), (0.1, side * 0.35, side * 0.35)) for side in (-1, 1)
    ]
    return [
        Organ(heart, 0.5 * (tissue.blood + tissue.muscle), shell=3, shell_hu=tissue.fat),
        *(Organ(shape, tissue.muscle, texture=5) for shape in (*psoas, *back)),
        *(Organ(shape, tissue.bone, texture=40) for shape in iliac),
        Organ(aorta, tissue.blood, shell=2, shell_hu=tissue.fat),
        Organ(cava, tissue.vein, shell=2, shell_hu=tissue.fat),
    ]


def _bowel(rng: np.random.Generator, tissue: Tissue) -> list[Organ]:
    colon = [
        _tube(rng, [(-98, 25, -170), (-104, 18, -100), (-98, 2, -35)], [24, 22, 20], 8),
        _tube(rng, [(-92, -10, -38), (-30, -58, -58), (40, -60, -40), (98, -5, 18)], [19, 17, 16, 15], 9),
        _tube(rng, [(108, 12, 15), (112, 28, -70), (104, 30, -180)], [15, 15, 16], 6),
    ]
    loops = []
    for _ in range(int(rng.integers(9, 18))):
        start = np.array([rng.uniform(-75, 75), rng.uniform(-65, 20), rng.uniform(-200, -55)])
        turn = rng.standard_normal((2, 3)) * (30, 14, 16)
        points = [start, start + turn[0], start + turn[0] + turn[1]]
        loops.append(_tube(rng, [(float(x), float(y), float(z)) for x, y, z in points], [13, 13, 12], 0))
    duodenum = _tube(
        rng,
        [(-34, -28, 22), (-54, -6, 12), (-56, 10, -28), (-24, 10, -48), (18, 0, -44)],
        [12, 12, 12, 11, 10],
        5,
    )
    organs = []
    for loop in [*loops, *colon, duodenum]:
        inner = Tube(loop.points, tuple(r - 3 for r in loop.radii), loop.flatten)
        content = float(rng.choice([rng.uniform(5, 60), -900.0, rng.uniform(60, 250)], p=[0.68, 0.22, 0.1]))
        organs.append(Organ(loop, tissue.bowel_wall, shell=1.5, shell_hu=tissue.fat))
        organs.append(Organ(inner, content, texture=20.0 if content > -500 else 60.0))
    return organs


def _stomach(rng: np.random.Generator, tissue: Tissue) -> list[Organ]:
    size = float(rng.uniform(0.75, 1.15))
    points = [(28, -2, 112), (64, -10, 92), (66, -36, 56), (38, -56, 28), (-4, -46, 24)]
    radii = [r * size for r in (14.0, 32.0, 27.0, 20.0, 13.0)]
    stomach = _tube(rng, [(float(x), float(y), float(z)) for x, y, z in points], radii, 7)
    inner = Tube(stomach.points, tuple(r - 4 for r in stomach.radii))
    gas = Ellipsoid(_jitter(rng, (58, -50, 62), 6), (26 * size, 12 * size, 28 * size))
    organs = [
        Organ(stomach, tissue.bowel_wall, shell=2, shell_hu=tissue.fat),
        Organ(inner, float(rng.choice([rng.uniform(0, 40), rng.uniform(80, 250)], p=[0.8, 0.2])), texture=12),
    ]
    if rng.random() < 0.7:
        organs.append(Organ(gas, -950.0))
    return organs


def _liver(rng: np.random.Generator, tissue: Tissue) -> Organ:
    right = Ellipsoid(
        _jitter(rng, (-72, 2, 46), 6),
        _scaled(rng, (76, 76, 82), 0.9, 1.08),
        _jitter(rng, (0.1, 0.15, 0.1), 0.12),
    )
    left = Ellipsoid(
        _jitter(rng, (-2, -38, 78), 8),
        (float(rng.uniform(58, 88)), float(rng.uniform(26, 36)), float(rng.uniform(30, 42))),
        _jitter(rng, (0.0, -0.15, 0.25), 0.12),
    )
    hilum = Ellipsoid(_jitter(rng, (-8, 16, -2), 6), _scaled(rng, (52, 44, 62), 0.9, 1.1), (0.0, 0.3, 0.2))
    behind = Ellipsoid(_jitter(rng, (10, 52, 60), 5), (44, 48, 90))
    shape = Difference(Union((right, left), 30.0), (hilum, behind), 14.0)
    return Organ(
        shape, tissue.liver, LIVER, texture=5, shell=float(rng.uniform(1.0, 3.0)), shell_hu=tissue.fat
    )


def _liver_contents(rng: np.random.Generator, tissue: Tissue) -> list[Organ]:
    """The gall bladder below the liver, and the vessels in the liver, which count as liver."""
    gallbladder = Ellipsoid(
        _jitter(rng, (-42, -32, 2), 6), _scaled(rng, (13, 16, 25), 0.7, 1.2), (0.4, 0.3, 0.0)
    )
    bright = 0.5 * (tissue.vein + tissue.liver)
    portal = [
        _tube(rng, [(-28, -4, 38), (-50, 0, 52), (-88, 10, 62)], [6, 6, 3], 6),
        _tube(rng, [(-34, -8, 44), (-14, -30, 66), (24, -42, 76)], [5, 4.5, 2.5], 6),
        _tube(rng, [(-28, 12, 104), (-66, -4, 84), (-96, -16, 64)], [6, 5, 2.5], 6),
    ]
    organs = [Organ(vessel, bright, LIVER, only_in=LIVER) for vessel in portal]
    for _ in range(int(rng.integers(0, 3))):  # cysts and metastases: part of the liver
        center = (float(rng.uniform(-110, -45)), float(rng.uniform(-30, 30)), float(rng.uniform(20, 80)))
        radius = float(rng.uniform(4, 13))
        organs.append(
            Organ(
                Ellipsoid(center, (radius,) * 3),
                tissue.liver - float(rng.uniform(20, 60)),
                LIVER,
                only_in=LIVER,
            )
        )
    if rng.random() < 0.85:
        organs.append(Organ(gallbladder, float(rng.uniform(2, 22)), shell=1.5, shell_hu=tissue.bowel_wall))
    return organs


def _spleen(rng: np.random.Generator, tissue: Tissue, gap: float) -> Organ:
    size = float(rng.uniform(0.82, 1.15))
    whole = Ellipsoid(
        _jitter(rng, (100, 34, 66), 6),
        _scaled(rng, (33 * size, 48 * size, 50 * size), 0.92, 1.08),
        _jitter(rng, (-0.35, 0.2, -0.15), 0.15),
    )
    bite = Ellipsoid(_jitter(rng, (62, 14, 62), 5), (36, 42, 62))
    return Organ(Difference(whole, (bite,), 10.0), tissue.spleen, SPLEEN, 4.0, gap, tissue.fat)


def _kidneys(rng: np.random.Generator, tissue: Tissue) -> list[Organ]:
    organs = []
    missing = float(rng.random())  # a few bodies have one kidney
    for side, height in ((-1, -22.0), (1, -6.0)):
        if (side < 0 and missing < 0.03) or (side > 0 and missing > 0.97):
            continue
        x, y, z = _jitter(rng, (side * 63, 42, height), 6)
        rx, ry, rz = _scaled(rng, (29, 27, 56), 0.85, 1.1)
        angles = _jitter(rng, (-0.18, side * 0.2, side * 0.45), 0.12)
        sinus = Ellipsoid((x - side * 24, y - 9, z), (17, 15, 23), angles)
        shape = Difference(Ellipsoid((x, y, z), (rx, ry, rz), angles), (sinus,), 9.0)
        core = Ellipsoid((x - side * 3, y, z), (rx - 13, ry - 12, rz - 16), angles)
        fat = Ellipsoid((x, y, z), (rx + 9, ry + 9, rz + 14), angles)
        organs.append(Organ(fat, tissue.fat))
        organs.append(Organ(shape, tissue.kidney, KIDNEYS, 5.0, float(rng.uniform(2, 5)), tissue.fat))
        organs.append(
            Organ(Difference(core, (sinus,), 6.0), tissue.kidney - float(rng.uniform(5, 40)), KIDNEYS, 8.0)
        )
    return organs


def _pancreas(rng: np.random.Generator, tissue: Tissue, gap: float) -> list[Organ]:
    course: list[Point] = [
        (-32, 6, -18),
        (-28, -6, 0),
        (-6, -20, 10),
        (22, -14, 20),
        (50, 4, 32),
        (78, 22, 42),
    ]
    shape = _tube(rng, course, [14, 15.5, 11, 11.5, 11.5, 10], 4)
    # The splenic vein runs along the back of the pancreas, the superior mesenteric vessels past its neck.
    splenic = Tube(tuple((x, y + 15, z + 3) for x, y, z in shape.points[2:]), (5, 4.5, 4, 3.5))
    mesenteric = Tube(((-8, -2, -90), (-8, -4, 4)), (5, 5.5))
    return [
        Organ(splenic, tissue.vein, shell=1.0, shell_hu=tissue.fat),
        Organ(mesenteric, tissue.vein, shell=1.5, shell_hu=tissue.fat),
        Organ(shape, tissue.pancreas, PANCREAS, 7.0, gap, tissue.fat),
    ]
