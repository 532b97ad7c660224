"""The count of training steps, which the model owns.

Optimizers count their own updates: that of a frozen network counts none, and a second
`compile` brings a new one.
"""

import keras


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
