"""The card's floors: a network's work at the rates of the card."""

from __future__ import annotations

import pytest
from support.fake_card import FakeCard, FakeDriver


def test_floors_take_the_larger_of_both_layer_by_layer() -> None:
    from on_gpu.floors import Rates, floors, fused_bytes, rates_of
    from on_gpu.work import LayerWork, NetworkWork

    layers = (
        LayerWork("convolution", "Convolution", multiply_adds=500, moved=90, weights=10),
        LayerWork("pooling", "AvgPool", multiply_adds=0, moved=300, weights=0),
    )
    rates = Rates(flops=10.0, bytes=8.0)
    found = floors(layers, 2, rates)
    assert (found.flop, found.bytes) == (1000, 800)
    assert (found.by_flop, found.by_bytes) == (100.0, 100.0)
    assert found.by_layer == max(1000 / 10, 200 / 8) + 600 / 8
    assert floors(layers, 2, Rates(None, 8.0)).by_layer is None
    assert floors(layers, 4, Rates(None, 8.0)).by_bytes == 200.0
    assert fused_bytes(NetworkWork((1, 1, 1), layers, ends=20), 2) == 60
    steps = {"pytorch": {"peak_flops": {"fp16": 8e14}}, "machine": {"bytes_per_second": {"problem": "no"}}}
    assert rates_of(steps, "fp16") == Rates(8e14, None)
    assert rates_of({}, "fp32") == Rates(None, None)


def test_the_rates_of_the_card() -> None:
    from on_gpu.card import Card

    class CardWithoutDriver(FakeCard, Card):
        stream = Card.stream
        seconds = Card.seconds
        synchronize = Card.synchronize

    driver = FakeDriver()
    card = CardWithoutDriver(driver)
    assert card.stream == 77
    assert card.memory_rate() == pytest.approx(3.352e12, rel=1e-3)
    rates = card.copy_rates(size=1 << 20, runs=3)
    assert rates == pytest.approx(
        {"to_device": 2**19 * 1e3, "from_device": 2**19 * 1e3, "on_device": 2**20 * 1e3}
    )
    assert driver.calls.count("cuMemcpyHtoDAsync_v2") == 3
    assert driver.calls.count("cuEventCreate") == driver.calls.count("cuEventDestroy_v2") == 12
    with pytest.raises(RuntimeError, match="cuMemAllocHost_v2 answers 999"):
        CardWithoutDriver(FakeDriver("cuMemAllocHost_v2")).copy_rates(1 << 20)


def test_a_card_that_does_not_report_its_rates_has_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    from on_gpu.steps import machine

    monkeypatch.setattr(machine, "Card", lambda: (_ for _ in ()).throw(OSError("no libcuda.so.1")))
    assert machine._rates() == {"problem": "OSError: no libcuda.so.1"}
