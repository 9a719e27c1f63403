"""One effect and one answer a key, whoever repeats the request, whenever."""

from functools import partial
from uuid import uuid4

import pytest
from django.db import connection, transaction

from inventory import idempotency, purchase
from inventory.idempotency import Answer, IdempotencyMismatch, IdempotencyRunning
from inventory.models import Hold, IdempotencyKey
from tests.inventory.box_office import make_sale, new_fan
from tests.races.crowds import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def once(act, *, scope="fan:a", key="k", fingerprint="f"):
    return idempotency.once(scope=scope, key=key, fingerprint=fingerprint, act=act)


def answering(status=201, body=b"{}", ran=None):
    def act(keep):
        (ran if ran is not None else []).append(1)
        return Answer(status, body)

    return act


def age(interval):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_idempotencykey SET created_at = statement_timestamp() - %s::interval", [interval]
        )


def test_once_repeats_the_first_answer():
    ran = []
    assert once(answering(body=b"1", ran=ran)) == (Answer(201, b"1"), False)
    assert once(answering(body=b"2", ran=ran)) == (Answer(201, b"1"), True)
    assert len(ran) == 1


def test_once_keeps_scopes_apart():
    once(answering(body=b"1"))
    assert once(answering(body=b"2"), scope="fan:b") == (Answer(201, b"2"), False)


def test_once_refuses_another_request_with_the_key():
    once(answering())
    with pytest.raises(IdempotencyMismatch):
        once(answering(), fingerprint="other")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_once_does_not_store_failures(status):
    assert once(answering(status))[0].status == status
    assert IdempotencyKey.objects.count() == 0
    assert once(answering(201)) == (Answer(201, b"{}"), False)


def test_once_lets_the_key_go_when_the_act_breaks():
    def broken(_keep):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        once(broken)
    assert once(answering()) == (Answer(201, b"{}"), False)


def test_once_says_that_the_first_is_running_and_takes_over_when_it_died():
    once(answering())
    IdempotencyKey.objects.update(status=None, body=None)
    with pytest.raises(IdempotencyRunning):
        once(answering())
    age("31 seconds")
    with pytest.raises(IdempotencyMismatch):
        once(answering(), fingerprint="other")
    assert once(answering(body=b"second")) == (Answer(201, b"second"), False)


def test_once_forgets_after_a_day():
    once(answering(body=b"old"))
    age("25 hours")
    assert once(answering(body=b"new"), fingerprint="other") == (Answer(201, b"new"), False)


def test_the_answer_commits_with_the_effect():
    def act(keep):
        with transaction.atomic():
            keep(Answer(201, b"never"))
            transaction.set_rollback(True)
        raise RuntimeError("the process dies here")

    with pytest.raises(RuntimeError):
        once(act)
    assert IdempotencyKey.objects.count() == 0


def test_an_attempt_that_was_taken_over_changes_nothing():
    event, fan = make_sale(), new_fan()

    def slow(keep):
        once(answering(body=b"other"), key="other")
        IdempotencyKey.objects.filter(key="k").update(status=201, body=b"quicker")
        purchase.hold_seats(
            event_id=event.id, fan=fan, indexes=[1], commit_with=lambda _held: keep(Answer(201, b"slow"))
        )
        return keep.answer

    with pytest.raises(IdempotencyRunning):
        once(slow)
    assert Hold.objects.count() == 0
    assert once(answering()) == (Answer(201, b"quicker"), True)


def test_twenty_repetitions_at_once_have_one_effect():
    event, fan, key = make_sale(), new_fan(), str(uuid4())

    def act(keep):
        purchase.hold_seats(
            event_id=event.id,
            fan=fan,
            indexes=[1, 2],
            commit_with=lambda held: keep(Answer(201, str(held.hold_id).encode())),
        )
        return keep.answer

    results = all_at_once([partial(once, act, key=key)] * 20)
    answers = [result for result in results if isinstance(result, tuple)]
    assert {type(result) for result in results} <= {tuple, IdempotencyRunning}
    assert {answer.body for answer, _ in answers} == {str(Hold.objects.get().id).encode()}
    assert sum(not is_repeated for _, is_repeated in answers) == 1


def test_request_hash_tells_where_one_part_ends():
    assert idempotency.request_hash(b"ab", b"c") != idempotency.request_hash(b"a", b"bc")
