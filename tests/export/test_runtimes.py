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


def test_what_draws_from_seeds(conditional_gan):
    gan = conditional_gan
    network, specs = runtimes.network_function(gan.ema_generator, True, maps=True)
    draw, _ = runtimes.latents_function(specs[0].shape[1])
    run = runtimes.drawing(lambda rows: draw(**rows), lambda rows: network(**rows))
    assert runtimes.verify_draws(gan, run) <= 1e-4

    def broken(**changes):
        def other(rows):
            outputs = {name: np.asarray(x) for name, x in run(rows).items()}
            return outputs | {k: change(outputs[k]) for k, change in changes.items()}

        return other

    for run_wrongly, message in [
        (broken(images=lambda x: x[:1]), "shape"),
        (broken(images=lambda x: x ^ 1), "grey levels, and a share of 1 of"),
        (broken(attention_16=lambda x: x + 2e-4), "Maps of attention_16 differ"),
        (broken(attention_16=lambda x: x * np.nan), "Maps of attention_16 differ"),
    ]:
        with pytest.raises(VerificationError, match=message):
            runtimes.verify_draws(gan, run_wrongly)
