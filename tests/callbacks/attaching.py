"""A callback on a model that stands at some step."""


def attach(callback, gan, step=0):
    callback.set_model(gan)
    gan.g_optimizer.iterations.assign(step)
    return callback
