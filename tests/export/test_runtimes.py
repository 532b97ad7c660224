import numpy as np
import pytest

from keras_sagan.export import runtimes
from keras_sagan.export.verifying.verification import VerificationError


@pytest.mark.parametrize("merged", [True, False])
def test_network_function(any_gan, merged):
    function, specs = runtimes.network_function(any_gan.ema_generator, merged)
    names = [spec.name for spec in specs]
    conditional = any_gan.generator.num_classes is not None
    assert names == (["latent", "label"] if conditional else ["latent"])

    def run(inputs):
        return function(**inputs)["images"].numpy()

    assert runtimes.verify_images(any_gan, run) <= 1e-5
    with pytest.raises(VerificationError, match="differ by"):
        runtimes.verify_images(any_gan, lambda inputs: run(inputs) + 2e-4)
    with pytest.raises(VerificationError, match="differ by"):
        runtimes.verify_images(any_gan, lambda inputs: run(inputs) * np.nan)
    with pytest.raises(VerificationError, match="shape"):
        runtimes.verify_images(any_gan, lambda inputs: run(inputs)[:1])
