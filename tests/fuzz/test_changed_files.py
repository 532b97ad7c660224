"""Property-based: files with something changed are read, or refused with a reason.

The short run of `benchmarks/fuzz.py`, the same in every run.
"""

import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import mutations, targets

short = settings(
    derandomize=True,
    max_examples=100,
    deadline=None,  # a machine may be busy
    database=None,
    suppress_health_check=list(HealthCheck),
)

# Place, how many bytes to remove there, what to put there instead.
EDITS = st.lists(
    st.tuples(
        st.integers(0, 2**16), st.sampled_from([0, 1, 4, 64]), st.binary(max_size=8)
    ),
    min_size=1,
    max_size=4,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
) | st.sampled_from(mutations.ODD)


@pytest.fixture(scope="module", params=sorted(targets.TARGETS))
def target(request):
    return request.param


@pytest.fixture(scope="module")
def place(target, tmp_path_factory):
    return tmp_path_factory.mktemp(target)


@pytest.fixture(scope="module")
def good(target, place):
    """Files as they should be."""
    return targets.seeds(target, place)


def edited(data, edits):
    for where, removed, added in edits:
        where %= len(data) + 1  # noqa: PLW2901
        data = data[:where] + added + data[where + removed :]
    return data


def test_bytes(target, place, good):
    @short
    @given(st.sampled_from(good), EDITS)
    def read(data, edits):
        targets.check(target, place, edited(data, edits))

    read()


@pytest.mark.parametrize("target", targets.JSON, scope="module")
def test_values_of_json(target, place, good):
    @short
    @given(st.integers(0, 2**16), VALUES)
    def read(where, value):
        root = [json.loads(good[0])]
        places = list(mutations.places(root))
        holder, key = places[where % len(places)]
        holder[key] = value
        targets.check(target, place, json.dumps(root[0]).encode())

    read()


@pytest.mark.parametrize("target", targets.ARCHIVES, scope="module")
def test_entries_of_archives(target, place, good):
    archives = [x for x in good if x[:2] == b"PK"]

    @short
    @given(
        st.sampled_from(archives),
        st.integers(0, 10),
        EDITS,
        st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    )
    def read(data, number, edits, method):
        def change(name, content):
            nonlocal number
            number -= 1
            return name, edited(content, edits) if number < 0 else content, method

        targets.check(target, place, mutations.repacked(data, change))

    read()
