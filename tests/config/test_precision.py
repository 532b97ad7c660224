"""Whether a machine computes in bfloat16, told by descriptions of real processors."""

import pytest

from keras_sagan.config import presets
from keras_sagan.config.presets import get_preset

ZEN_3 = "processor\t: 0\nflags\t\t: fpu sse2 ssse3 fma avx avx2 bmi2\nbugs\t\t: spec\n"
SAPPHIRE_RAPIDS = "flags\t\t: avx2 fma avx512f avx512_bf16 amx_bf16 amx_tile\n"
ICE_LAKE = "flags\t\t: avx2 fma avx512f avx512_vnni avx512_bitalg\n"
ARM = "BogoMIPS\t: 50.00\nFeatures\t: fp asimd sve bf16 i8mm\n"
OLD_ARM = "Features\t: fp asimd evtstrm crc32\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A function that asks about a machine with that description and device files."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def ask(cpuinfo, *devices, cards=()):
        folder = tmp_path / "dev"
        folder.mkdir()
        for name in devices:
            (folder / name).touch()
        file = tmp_path / "cpuinfo"
        if cpuinfo is not None:
            file.write_text(cpuinfo)
        for i, (vendor, kind, name) in enumerate(cards):
            card = tmp_path / "pci" / f"0000:0{i}:00.0"
            card.mkdir(parents=True)
            for key, value in [("vendor", vendor), ("class", kind), ("device", name)]:
                (card / key).write_text(f"{value}\n")
        return presets.computes_in_bfloat16(file, folder, tmp_path / "pci")

    return ask


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (ZEN_3, False),
        (ICE_LAKE, False),
        (OLD_ARM, False),
        (SAPPHIRE_RAPIDS, True),
        (ARM, True),
        (None, True),
        ("nothing that is known\n", True),
    ],
)
def test_processors(machine, cpuinfo, expected):
    assert machine(cpuinfo) is expected


@pytest.mark.parametrize("device", ["nvidia0", "nvidia11", "kfd"])
def test_a_gpu(machine, device):
    assert machine(ZEN_3, device, "null")


def nvidia(number, kind="0x030200"):
    return "0x10de", kind, number


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ([nvidia("0x1eb8")], False),  # T4
        ([nvidia("0x1db6")], False),  # V100 PCIe 32 GB
        ([nvidia("0x2182", "0x030000")], False),  # GTX 1660 Ti
        ([nvidia("0x20b5")], True),  # A100 PCIe 80 GB
        ([nvidia("0x2204", "0x030000")], True),  # GeForce RTX 3090
        ([nvidia("0x2335")], True),  # H200
        ([nvidia("0x1eb8"), nvidia("0x20b5")], True),
        ([nvidia("0x1aef", "0x040300")], True),  # a sound device: no card is described
        ([("0x1002", "0x030000", "0x73bf"), nvidia("0x1eb8")], False),
        ([nvidia("nothing")], True),
        ([], True),
    ],
)
def test_nvidia_cards(machine, cards, expected):
    assert machine(ZEN_3, "nvidia0", cards=cards) is expected


def test_a_processor_beside_an_old_card(machine):
    assert machine(SAPPHIRE_RAPIDS, "nvidia0", cards=[nvidia("0x1eb8")]) is False


def test_other_devices(machine):
    assert not machine(ZEN_3, "null", "nvidiactl")


@pytest.mark.parametrize("value", ["", "-1"])
def test_a_hidden_gpu(machine, monkeypatch, value):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert not machine(ZEN_3, "nvidia0")


@pytest.mark.parametrize(
    ("native", "expected"), [(True, "mixed_bfloat16"), (False, "float32")]
)
def test_a_recipe_is_what_the_machine_computes(monkeypatch, native, expected):
    monkeypatch.setattr(presets, "computes_in_bfloat16", lambda: native)
    preset = get_preset("sagan_32_small")
    assert preset.training.dtype_policy == "mixed_bfloat16"
    assert preset.run_config().training.dtype_policy == expected
    for wanted in ("mixed_bfloat16", "float64"):  # asked for: nothing is changed
        config = preset.run_config({"training.dtype_policy": wanted})
        assert config.training.dtype_policy == wanted
    assert get_preset("sagan_32").run_config().training.dtype_policy == "float32"
