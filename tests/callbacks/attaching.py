"""A callback on a model that stands at some step."""


def attach(callback, gan, step=0):
    callback.set_model(gan)
    gan.step_counter.count.assign(step)
    return callback
