from hypothesis import given
from hypothesis import strategies as st

from tasks.core.storage.digests import digest_of

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), DOCUMENTS, max_size=5), st.randoms(use_true_random=False))
def test_a_digest_does_not_depend_on_the_order_of_keys(document, chance):
    names = list(document)
    chance.shuffle(names)
    assert digest_of({name: document[name] for name in names}) == digest_of(document)


@given(DOCUMENTS, DOCUMENTS)
def test_different_documents_have_different_digests(one, other):
    assert (digest_of([one]) == digest_of([other])) == (
        repr(sorted_keys(one)) == repr(sorted_keys(other))
    )


def sorted_keys(document):
    if isinstance(document, dict):
        return {name: sorted_keys(document[name]) for name in sorted(document)}
    return [sorted_keys(item) for item in document] if isinstance(document, list) else document


def test_a_digest_is_the_same_in_every_version():
    """It is stored with outputs and models: a change would make every one of them another."""
    assert (
        digest_of({"b": [1, "é"], "a": None})
        == "a44633ba036df25280e4fd9ef09da6f54dfe6d3611c755e31f993ab16f108f34"
    )
