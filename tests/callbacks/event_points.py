"""What is in the files that TensorBoard reads."""

import tensorflow as tf


def event_points(folder):
    """dict from a tag to `[(step, value), ...]` of the event files in `folder`."""
    found = {}
    for path in folder.glob("events*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                array = tf.make_ndarray(value.tensor)
                found.setdefault(value.tag, []).append((event.step, array))
    return {tag: sorted(found[tag], key=lambda point: point[0]) for tag in found}
