import pytest

from tasks.core.errors import AfterfitError, RequestError, WorkerLostError
from tasks.core.training.results import describe_failure, no_candidate


@pytest.mark.parametrize(
    ("error", "reason", "status"),
    [
        (RequestError("Ridge cannot be fitted: alpha."), "Ridge cannot be fitted: alpha.", 2),
        (WorkerLostError("The worker died."), "Ridge: The worker died.", 1),
        (MemoryError(), "Ridge failed: MemoryError.", 1),
        (ValueError("n\nm"), "Ridge failed: ValueError: n m.", 1),
    ],
)
def test_a_candidate_that_fails_is_told_by_name_with_its_reason(error, reason, status):
    failed = describe_failure("Ridge", error)
    assert (failed.reason, failed.exit_status) == (reason, status)


def test_a_reason_is_bounded():
    assert len(describe_failure("Ridge", ValueError("x" * 9000)).reason) == 500


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([RequestError("a."), RequestError("b.")], RequestError),
        ([RequestError("a."), ValueError("b.")], AfterfitError),
    ],
)
def test_where_every_candidate_fails_each_reason_is_told(errors, kind):
    failed = [describe_failure(f"C{number}", error) for number, error in enumerate(errors)]
    error = no_candidate(failed)
    assert type(error) is kind
    assert all(item.reason in str(error) for item in failed)
