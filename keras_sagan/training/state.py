"""The state of training that a model stores besides its weights.

It is held by two layers, so that Keras saves it with the model. `AugmentationState` has
the probability of adaptive discriminator augmentation (ADA):
[Karras et al., 2020](https://arxiv.org/abs/2006.06676), section 3, and
`training/training_loop.py` of its code. `StepCounter` counts training steps. Optimizers
cannot do that: they count their own updates, of which a frozen network has none, and
start again with every `compile`.
"""

import keras
import tensorflow as tf

UPDATE_EVERY = 4  # steps between two changes of p (`ada_interval` in the code)

# Up to this value, transformations do not leak into generated images (paper,
# section 2.2).
MAX_PROBABILITY = 0.8


class AugmentationState(keras.layers.Layer):
    """The probability p of ADA, and the signs of D(real) since it last changed.

    Both are in one weight `(2,)`: p, and the sum over the steps since of mean signs.
    """

    def __init__(self):
        super().__init__(name="augmentation", dtype="float32", autocast=False)
        # p is the same on all replicas, but the signs differ; their mean is stored.
        self.values = self.add_weight(
            name="ada",
            shape=(2,),
            initializer="zeros",
            trainable=False,
            aggregation="mean",
        )
        self.built = True

    @property
    def probability(self):
        """Scalar tensor, the probability p."""
        return self.values.value[0]

    def update(self, settings, logs, images, step):
        """Updates the state after a step if the policy is "ada".

        Args:
            settings: `steps.StepSettings`.
            logs: dict with `d_sign`, the mean of sign(D(real)) on this replica.
            images: int scalar tensor. Number of real images of the step on this
                replica.
            step: int scalar tensor. Number of generator steps before this one.

        Returns: dict of values to be logged.
        """
        config = settings.augmentation
        if config is None or config.policy != "ada":
            return {}
        images *= tf.distribute.get_strategy().num_replicas_in_sync
        state = next_state(self.values.value, logs["d_sign"], images, step, config)
        self.values.assign(state)
        return {"augmentation_probability": state[0]}

    def load_own_variables(self, store):
        # Files of version 0.1.0 do not have this layer.
        if len(store.keys()):
            super().load_own_variables(store)


def next_state(state, mean_sign, images, step, config):
    """Computes the state after a step.

    r = E[sign(D(real))] over `UPDATE_EVERY` steps measures how much D overfits. In the
    step after these, p changes by `UPDATE_EVERY * images / ada_images`: it increases if
    r is above the target and decreases otherwise.

    Args:
        state: float tensor `(2,)`, p and the sum of signs.
        mean_sign: float scalar tensor.
        images: int scalar tensor. Number of real images of a step on all replicas.
        step: int scalar tensor. Number of steps before this one.
        config: `AugmentationConfig`, for `ada_target` and `ada_images`.
    """
    probability, total = state[0], state[1]
    step, sign = tf.cast(step, tf.int64), tf.cast(mean_sign, state.dtype)
    direction = tf.sign(total / UPDATE_EVERY - config.ada_target)
    change = UPDATE_EVERY / config.ada_images * tf.cast(images, state.dtype)
    changed = tf.clip_by_value(probability + direction * change, 0.0, MAX_PROBABILITY)
    first = tf.equal(step % UPDATE_EVERY, 0)
    probability = tf.where(first & (step > 0), changed, probability)
    return tf.stack([probability, tf.where(first, sign, total + sign)])


class StepCounter(keras.layers.Layer):
    """Counts the generator steps for which a `SAGAN` has been trained.

    Everything that depends on the step reads it here: random draws, averaging,
    callbacks and checkpoints. Learning rate schedules follow their optimizer instead,
    as in Keras.

    Attributes:
        find_updates: function that returns the variable with the number of updates of
            G's optimizer, or `None` if there is no optimizer. Files of version 0.1.0
            have no other count.
    """

    def __init__(self):
        super().__init__(name="step_counter", dtype="float32", autocast=False)
        self.find_updates = None
        self.count = self.add_weight(
            name="step",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",  # they all count the same
        )
        self.built = True

    def load_own_variables(self, store):
        if len(store.keys()):
            super().load_own_variables(store)
            return
        updates = self.find_updates() if self.find_updates else None
        if updates is not None:
            self.count.assign(updates)
