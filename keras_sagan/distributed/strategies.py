"""Strategies, the rows that each replica works on, and values that workers share.

Batch sizes are global, that is, of all replicas together. Replica `r` of `n` works on
the rows `r * batch / n` onwards of every global batch, so that a batch is the same
however many replicas it is split over.
"""

import keras
import numpy as np
import tensorflow as tf

STRATEGIES = ("none", "mirrored", "multi_worker", "auto")


def create_strategy(name="auto", cluster=None):
    """Creates a `tf.distribute` strategy, before TensorFlow does anything else.

    Args:
        name: str. `"none"`: one device. `"mirrored"`: all GPUs of this machine, or
            its logical CPU devices if it has no GPU. `"multi_worker"`: all GPUs of
            all workers. `"auto"`: multi_worker if there is a cluster, otherwise
            mirrored if there are several GPUs, otherwise none.
        cluster: `Cluster`, or None.

    Returns: `tf.distribute.Strategy`.

    Raises:
        ValueError: if there is no such strategy, or if it is `"multi_worker"` without
            a cluster or another one with a cluster.
    """
    name = check_strategy(name, cluster)
    if name == "multi_worker":
        return _multi_worker(cluster)
    return _mirrored_strategy() if name == "mirrored" else tf.distribute.get_strategy()


def check_strategy(name, cluster):
    """Returns the name of the strategy to use: `name`, or what `"auto"` stands for.

    Raises:
        ValueError: as for `create_strategy`.
    """
    if name not in STRATEGIES:
        raise ValueError(
            f"`strategy` must be one of {', '.join(STRATEGIES)}. Received: {name!r}."
        )
    if name == "auto":
        several = len(tf.config.list_physical_devices("GPU")) > 1
        name = "multi_worker" if cluster else "mirrored" if several else "none"
    if (name == "multi_worker") != (cluster is not None):
        raise ValueError(
            "`strategy` must be 'multi_worker' if workers are given, by `--workers` "
            "and `--index` or by TF_CONFIG, and only then. Received: "
            f"strategy={name!r}, {'workers' if cluster else 'no workers'}."
        )
    return name


def is_multi_worker(strategy):
    """Returns whether a strategy spans several processes."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return False
    jobs = strategy.cluster_resolver.cluster_spec().as_dict()
    return sum(len(jobs.get(job, ())) for job in ("chief", "worker")) > 1


def worker_index(strategy):
    """Returns the index of this process among the workers; the chief's is 0."""
    if not is_multi_worker(strategy):
        return 0
    resolver = strategy.cluster_resolver
    after_a_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_id + (after_a_chief and resolver.task_type == "worker")


def is_chief(strategy):
    """Returns whether this process is the one that writes files."""
    return worker_index(strategy) == 0


def local_replicas(strategy):
    """Returns the number of replicas in this process."""
    if strategy.num_replicas_in_sync == 1:  # the default strategy has no devices
        return 1
    return len(strategy.extended.worker_devices)


def check_batch_size(batch_size, strategy):
    """Raises a `ValueError` unless the replicas can share a global batch evenly."""
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ValueError(
            "`batch_size` is that of all replicas together and must be divisible by "
            f"their number, {replicas}. Received: batch_size={batch_size}."
        )


def batch_size_of(dataset):
    """Returns the number of rows of a dataset's batches, or None if it may vary."""
    shape = tf.nest.flatten(dataset.element_spec)[0].shape
    return shape[0] if shape.rank else None


def check_scope(variable):
    """Raises a `ValueError` unless a model belongs to the current strategy.

    Args:
        variable: a Keras variable of the model.
    """
    strategy, value = tf.distribute.get_strategy(), variable.value
    own = getattr(value, "distribute_strategy", None)
    if own is not None and own.num_replicas_in_sync > 1 and own is not strategy:
        raise ValueError(
            "A model must be compiled in the scope of its strategy: `with "
            f"strategy.scope(): gan.compile(...)`. Received: a model on "
            f"{own.num_replicas_in_sync} replicas, compiled outside."
        )
    replicas = strategy.num_replicas_in_sync
    if replicas > 1 and not strategy.extended.variable_created_in_scope(value):
        raise ValueError(
            "A model that is compiled in the scope of a strategy must be created in "
            "that scope, too. Otherwise, it has no weights on the replicas. Received: "
            f"a model that was created outside, {replicas} replicas."
        )


def check_optimizer(name, optimizer):
    """Raises a `ValueError` for an optimizer that does not work on several replicas."""
    strategy = tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    made_in_scope = strategy.extended.variable_created_in_scope
    if replicas > 1 and not made_in_scope(optimizer.iterations.value):
        raise ValueError(
            f"`{name}` must be created in the scope of the strategy. Otherwise, every "
            f"replica counts its steps. Received: {name}={optimizer!r}, created "
            "outside."
        )
    if replicas > 1 and isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        raise ValueError(
            f"`{name}` must not be a LossScaleOptimizer on several replicas, because "
            "it checks the gradients of the first replica only, and an overflow on "
            "another one makes the weights infinite. Networks in mixed_float16 need "
            "a LossScaleOptimizer, those in mixed_bfloat16 do not. Received: "
            f"{name}={optimizer!r} on {replicas} replicas."
        )


def shard(dataset, strategy):
    """Gives each replica its rows of global batches that every worker reads.

    Args:
        dataset: `tf.data.Dataset` of global batches of known size: the same batches
            on every worker, in the same order.
        strategy: `tf.distribute.Strategy`.

    Returns: endless distributed dataset, which starts over when `dataset` ends.

    Raises:
        ValueError: if the batch size is unknown, or not a multiple of the number of
            replicas.
    """
    batch_size = batch_size_of(dataset)
    if batch_size is None:
        raise ValueError(
            "On several workers the batch size must be known: batch with "
            f"`drop_remainder=True`. Received: batches of {dataset.element_spec}."
        )
    check_batch_size(batch_size, strategy)

    return _distribute(lambda context: rows_of(dataset, batch_size, context), strategy)


def rows_of(dataset, batch_size, context):
    """Returns an endless dataset of one worker's rows of every batch.

    Args:
        dataset: `tf.data.Dataset` of global batches.
        batch_size: int. Number of rows of a global batch.
        context: `tf.distribute.InputContext` of the worker.
    """
    count = batch_size // context.num_input_pipelines
    start = context.input_pipeline_id * count

    def rows(*batch):
        batch = batch if len(batch) > 1 else batch[0]
        return tf.nest.map_structure(lambda x: x[start : start + count], batch)

    return dataset.repeat().map(rows)


def stream(source, start, strategy):
    """Returns the stream of a source, of which each worker reads only its own rows.

    Args:
        source: `keras_sagan.data.Source` with a global `batch_size`.
        start: int. Global index of the first example.
        strategy: `tf.distribute.Strategy`.

    Returns: endless dataset for `SAGAN.fit`.

    Raises:
        ValueError: if the batch size is not a multiple of the number of replicas.
    """
    check_batch_size(source.batch_size, strategy)
    if not is_multi_worker(strategy):
        return source.stream(start)

    return _distribute(lambda context: stream_of(source, start, context), strategy)


def stream_of(source, start, context):
    """Returns one worker's rows of every batch of a stream, without reading others.

    Args:
        source, start: as for `stream`.
        context: `tf.distribute.InputContext` of the worker.
    """
    count = source.batch_size // context.num_input_pipelines
    return source.stream(start + context.input_pipeline_id * count, count)


def assign(variable, value, strategy):
    """Assigns to a Keras variable without communicating with the other workers.

    A variable of a metric is read as the sum over all replicas. A plain assignment to
    it is collective, so that every worker would have to assign at the same time.

    Args:
        variable: Keras variable.
        value: array. What reading the variable should then return.
        strategy: `tf.distribute.Strategy`.
    """
    own = variable.value
    on_read = tf.VariableSynchronization.ON_READ
    if not is_multi_worker(strategy) or own.synchronization != on_read:
        variable.assign(value)
        return
    for part in strategy.experimental_local_results(own):
        part.assign(value / strategy.num_replicas_in_sync)  # reading adds them up


def gather(array, strategy):
    """Collects an array from every worker; all workers must call it.

    Args:
        array: int32 array of the same shape on all workers.
        strategy: `tf.distribute.Strategy`.

    Returns: int32 array `(workers, *shape)`.
    """
    if not is_multi_worker(strategy):
        return array[np.newaxis]
    local = local_replicas(strategy)
    workers = strategy.num_replicas_in_sync // local
    # Every worker fills in its own row, to which the others add zeros.
    mine = np.zeros((workers, *array.shape), np.int32)
    mine[worker_index(strategy)] = array
    return _summation(strategy)(mine)


def from_chief(arrays, strategy):
    """Returns the chief's arrays, bit for bit, on every worker; all must call it.

    Args:
        arrays: dict from str to NumPy array, with the same names, shapes and dtypes on
            every worker.
        strategy: `tf.distribute.Strategy`.

    Returns: dict like `arrays`.
    """
    if not is_multi_worker(strategy):
        return arrays
    add_up, copies = _summation(strategy), {}
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        # The bytes travel as integers, whose sum with zeros is exact.
        words = np.zeros(-(-array.nbytes // 4), np.int32)
        if is_chief(strategy):
            content = np.frombuffer(array.tobytes(), np.uint8)
            words.view(np.uint8)[: array.nbytes] = content
        content = add_up(words).tobytes()[: array.nbytes]
        value = np.frombuffer(content, array.dtype)
        copies[name] = value.reshape(array.shape)
    return copies


def _multi_worker(cluster):
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(cluster.workers)}),
        task_type="worker",
        task_id=cluster.index,
        rpc_layer="grpc",
    )
    return tf.distribute.MultiWorkerMirroredStrategy(resolver)


def _mirrored_strategy():
    if tf.config.list_physical_devices("GPU"):
        return tf.distribute.MirroredStrategy()
    # Collective operations between logical CPU devices share one thread pool and can
    # deadlock.
    return tf.distribute.MirroredStrategy(
        [device.name for device in tf.config.list_logical_devices("CPU")],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )


def _distribute(share, strategy):
    """Returns a distributed dataset.

    Args:
        share: function from an `InputContext` to a dataset of the worker's rows.
        strategy: `tf.distribute.Strategy`.
    """

    def replicas(context):
        local = context.num_replicas_in_sync // context.num_input_pipelines
        dataset = share(context)
        if local > 1:
            rows = tf.nest.flatten(dataset.element_spec)[0].shape[0]
            dataset = dataset.rebatch(rows // local, drop_remainder=True)
        return dataset.prefetch(2 * local)

    return strategy.distribute_datasets_from_function(replicas)


def _summation(strategy):
    """Returns a function that adds up the workers' int32 arrays, each counted once."""

    def mine(words):
        context = tf.distribute.get_replica_context()
        first = context.replica_id_in_sync_group % local_replicas(strategy) == 0
        return words * tf.cast(first, tf.int32)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.int32)], autograph=False)
    def add(words):
        return strategy.reduce("SUM", strategy.run(mine, [words]), axis=None)

    return lambda array: add(array.ravel()).numpy().reshape(array.shape)
