"""Reading the architecture off a torch checkpoint's keys."""

import numpy as np
import pytest

from keras_sagan.interop import studiogan, torch_names
from keras_sagan.interop.checkpoint import Checkpoint
from tests.fidelity import comparison, peer_layouts, torch_reference


def generator_checkpoint(size, attention, ch=8):
    reference = torch_reference.Generator(
        size, ch, classes=2, attention=attention, form="one_hot"
    )
    return comparison.checkpoint(
        peer_layouts.studiogan_generator(reference.state_dict(), 3)
    )


@pytest.mark.parametrize(
    ("size", "attention"), [(32, ()), (32, (8, 16)), (64, (32,)), (128, (64,))]
)
def test_size_and_attention(size, attention):
    checkpoint = generator_checkpoint(size, attention)
    places = torch_names.find_places(checkpoint, studiogan.NAMES)
    assert places.image_size == size
    assert tuple(places.attention) == attention
    found = torch_names.generator_size(checkpoint, studiogan.NAMES, size)
    assert found == (8, 8)


def test_attention_where_a_size_occurs_a_second_time():
    """The networks here have attention after the first block of a size."""
    keys = [f"blocks.{j}.0.conv2d1.weight_orig" for j in (0, 1, 2, 4)]
    keys.append("blocks.3.0.conv1x1_theta.weight_orig")
    checkpoint = Checkpoint({key: np.zeros(1) for key in keys}, "file")
    message = r"attention at 'blocks.3.0', after 3 blocks.*\(16, 8, 8, 8\)"
    with pytest.raises(ValueError, match=message):
        torch_names.find_places(checkpoint, studiogan.NAMES, discriminator=True)
