import resource

from keras_sagan.files import descriptors


def test_more_shards_than_files_that_may_be_open():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
        descriptors.allow(40)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300
        descriptors.allow(100)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (356, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
