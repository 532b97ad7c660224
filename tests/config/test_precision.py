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

    def ask(cpuinfo, *devices):
        folder = tmp_path / "dev"
        folder.mkdir()
        for name in devices:
            (folder / name).touch()
        file = tmp_path / "cpuinfo"
        if cpuinfo is not None:
            file.write_text(cpuinfo)
        return presets.computes_in_bfloat16(file, folder)

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
