"""What a model remembers of its training beside its weights: two layers of counters.

`AugmentationState` is the probability of adaptive discriminator augmentation (ADA):
[Karras et al., 2020](https://arxiv.org/abs/2006.06676), section 3, and
`training/training_loop.py` of its code. `StepCounter` is the count of training steps:
optimizers count their own updates, that of a frozen network none, and a second
`compile` brings a new one.
"""

import keras
import tensorflow as tf

UPDATE_EVERY = 4  # steps between two changes of p (its code: `ada_interval`)

# Below it transformations do not show in generated images (paper, section 2.2).
MAX_PROBABILITY = 0.8


class AugmentationState(keras.layers.Layer):
    """The probability p of ADA, and the signs seen since it last changed.

    One weight `(2,)`: p; the sum of the mean signs of D(real) over the steps since.
    """

    def __init__(self):
        super().__init__(name="augmentation", dtype="float32", autocast=False)
        # Replicas have the same p and signs of their own: the mean is stored.
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
        """Scalar tensor: p."""
        return self.values.value[0]

    def update(self, settings, logs, images, step):
        """Take in one step, where the policy is "ada".

        Args:
            settings: `steps.StepSettings`.
            logs: dict with `d_sign`, the mean of sign(D(real)) on this replica.
            images: int scalar tensor. Real images of the step on this replica.
            step: int scalar tensor. Generator steps done before this one.

        Returns: dict of logs.
        """
        config = settings.augmentation
        if config is None or config.policy != "ada":
            return {}
        images *= tf.distribute.get_strategy().num_replicas_in_sync
        state = next_state(self.values.value, logs["d_sign"], images, step, config)
        self.values.assign(state)
        return {"augmentation_probability": state[0]}

    def load_own_variables(self, store):
        # Files of version 0.1.0 know nothing of it.
        if len(store.keys()):
            super().load_own_variables(store)


def next_state(state, mean_sign, images, step, config):
    """The state after one more step.

    r = E[sign(D(real))] over `UPDATE_EVERY` steps says how far D overfits. In the step
    after them p moves by `UPDATE_EVERY * images / ada_images`: up where r is above the
    target, else down.

    Args:
        state: float tensor `(2,)`: p and the sum of signs.
        mean_sign: float scalar tensor.
        images: int scalar tensor. Real images of a step, over all replicas.
        step: int scalar tensor. Steps done before this one.
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
    """Counts the generator steps that a `SAGAN` was trained for.

    What depends on the step reads it here: random draws, averaging, callbacks,
    checkpoints. Schedules of the learning rate follow their optimizer, as in Keras.

    Attributes:
        find_updates: callable that returns the updates of G's optimizer, or `None`
            where there is no optimizer. Files of version 0.1.0 have no other count.
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
