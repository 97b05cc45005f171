"""The journal's memory against a plain model of it: a dictionary of pairs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.identity import content_hash
from connector.kafka.published import Published
from connector.kafka.published_slice import short_hash
from connector.model import Notification

PLACE = ("t", 0)
sync_ids = st.integers(min_value=1, max_value=40)
pairs = st.tuples(sync_ids, st.sampled_from([b"a", b"b", b"c"]))
listings = st.lists(pairs, max_size=25)
ids = st.sets(sync_ids, max_size=10)
steps = st.lists(st.tuples(listings, st.booleans(), ids, ids), max_size=8)


def notification(sync_id: int, raw: bytes) -> Notification:
    return Notification(sync_id, raw, content_hash(raw))


def pair(of: Notification) -> tuple[int, int]:
    return of.sync_id, short_hash(of.content_hash)


@given(steps)
def test_it_agrees_with_a_plain_dictionary(
    history: list[tuple[list[tuple[int, bytes]], bool, set[int], set[int]]],
) -> None:
    """Whatever is listed, published, confirmed and gone: known, pending and the lowest offset are the model's."""
    published = Published()
    model: dict[tuple[int, int], bool] = {}  # pair -> confirmed
    perhaps: set[tuple[int, int]] = set()
    offsets: dict[tuple[int, int], int] = {}
    end = 0
    for now, (listing, is_complete, confirmed, unanswered) in enumerate(history):
        published.begin_listing()
        offered = sorted((notification(*shown) for shown in listing), key=lambda shown: shown.sync_id)
        shown = {pair(one) for one in offered}
        if offered:
            known, todo = published.split(offered, float(now))
            assert {pair(one) for one in known} == {one for one in shown if one in model}
            assert [pair(one) for one in todo] == list(dict.fromkeys(pair(o) for o in offered if pair(o) not in model))
            if todo:
                added = [pair(one) for one in todo]
                published.add(added, {PLACE: end}, float(now), shown=True)
                model |= dict.fromkeys(added, False)
                offsets |= {one: end + index for index, one in enumerate(added)}
                end += len(added)
        perhaps -= shown
        if unanswered:
            published.perhaps_confirmed(sorted(unanswered))
            perhaps |= {one for one in model if one[0] in unanswered}
        if confirmed:
            newly = {one for one, done in model.items() if one[0] in confirmed and not done}
            assert published.confirmed(sorted(confirmed), float(now)) == len(newly)
            model |= dict.fromkeys(newly, True)
        if is_complete:
            highest = max((one.sync_id for one in offered), default=None)
            gone = {
                one
                for one, done in model.items()
                if not done and one in perhaps - shown and highest is not None and one[0] < highest
            }
            assert published.end_listing(highest, float(now)) == len(gone)
            model |= dict.fromkeys(gone, True)
        assert published.pending(float(now), 900.0)[0] == sum(not done and one in shown for one, done in model.items())
        waiting = [offsets[one] for one, done in model.items() if not done]
        if waiting:
            assert published.lowest_offsets()[PLACE] <= min(waiting)


def test_what_is_confirmed_is_kept_for_as_long_as_a_list_may_be_stale() -> None:
    """A settled slice holds the watermark until it is forgotten, and only then."""
    published = Published()
    published.add([(1, 7)], {PLACE: 100}, 0.0, shown=True)
    published.confirmed([1], 50.0)
    published.forget_settled(before=49.0)
    assert published.lowest_offsets() == {PLACE: 100}
    published.forget_settled(before=50.0)
    assert published.lowest_offsets() == {}


def test_a_stale_list_restarts_the_time_that_a_pair_is_kept() -> None:
    """What a list still shows after its confirm is not forgotten, or it would be published again."""
    published = Published()
    published.add([pair(notification(1, b"a"))], {PLACE: 100}, 0.0, shown=True)
    published.confirmed([1], 50.0)
    published.begin_listing()
    published.split([notification(1, b"a")], 900.0)
    published.forget_settled(before=899.0)
    assert published.lowest_offsets() == {PLACE: 100}


def test_an_unconfirmed_pair_holds_the_watermark() -> None:
    """The lowest offset is that of the oldest slice with something unconfirmed, whatever is confirmed above it."""
    published = Published()
    published.add([(1, 7), (2, 7)], {PLACE: 100}, 0.0, shown=True)
    published.add([(3, 7)], {PLACE: 200}, 60.0, shown=True)
    published.confirmed([1], 60.0)
    published.confirmed([3], 60.0)
    published.forget_settled(before=1e9)
    assert published.lowest_offsets() == {PLACE: 100}
    assert published.pending(60.0, 900.0) == (1, 0.0)


def test_small_slices_are_taken_together() -> None:
    """A feed that publishes one by one does not pile up a slice for each."""
    published = Published()
    for sync_id in range(1, 2001):
        published.add([(sync_id, 7)], {PLACE: sync_id}, sync_id / 100, shown=True)
    assert len(published._slices) < 5
    assert len(published) == 2000
    assert published.confirmed(list(range(1, 2001)), 1.0) == 2000


def test_a_higher_unconfirmed_sync_id_is_not_taken_for_confirmed() -> None:
    """A capped list shows the lowest SyncIDs: what lies above its highest is not gone."""
    published = Published()
    published.add([(1, 7), (5, 7), (9, 7)], {PLACE: 0}, 0.0, shown=False)
    published.begin_listing()
    assert published.end_listing(6, 1.0) == 2
    assert published.lowest_offsets() == {PLACE: 0}
    assert published.end_listing(None, 2.0) == 0  # an empty list proves nothing
    assert published.end_listing(10, 2.0) == 1


def test_what_was_never_sent_to_the_erp_is_not_taken_for_confirmed() -> None:
    """It stays, and is known when it is listed again, whatever other lists show meanwhile."""
    published = Published()
    published.add([pair(notification(1, b"a"))], {PLACE: 100}, 0.0, shown=True)
    published.begin_listing()
    assert published.end_listing(5, 1.0) == 0
    published.forget_settled(before=1e9)
    published.begin_listing()
    assert published.split([notification(1, b"a")], 2000.0)[1] == []


def test_a_confirm_without_effect_shows_when_no_list_can_be_that_stale() -> None:
    """What is listed long after the ERP accepted its confirm is pending, since it was first seen."""
    published = Published()
    published.add([pair(notification(1, b"a"))], {PLACE: 100}, 5.0, shown=True)
    published.confirmed([1], 10.0)
    for now, expected in ((100.0, (0, None)), (911.0, (1, 5.0))):
        published.begin_listing()
        published.split([notification(1, b"a")], now)
        published.confirmed([1], now)
        assert published.pending(now, 900.0) == expected


def test_an_empty_list_proves_nothing() -> None:
    """The ERP's module may be off: what is perhaps confirmed is known when the list shows it again."""
    published = Published()
    published.add([pair(notification(1, b"a"))], {PLACE: 100}, 0.0, shown=False)
    published.begin_listing()
    assert published.end_listing(None, 1.0) == 0
    published.forget_settled(before=1e9)
    published.begin_listing()
    assert published.split([notification(1, b"a")], 2000.0)[1] == []


def test_a_confirm_does_not_renew_the_slices_it_passes_over() -> None:
    """A SyncID below and one above a settled slice, confirmed together, do not keep it alive."""
    published = Published()
    published.add([(1, 7)], {PLACE: 1}, 0.0, shown=True)
    published.add([(5, 7)], {PLACE: 5}, 100.0, shown=True)
    published.add([(9, 7)], {PLACE: 9}, 200.0, shown=True)
    published.confirmed([1, 5, 9], 300.0)
    published.confirmed([1, 9], 900.0)
    published.forget_settled(before=300.0)
    assert published.lowest_offsets() == {PLACE: 1}
    published.add([(20, 7)], {PLACE: 20}, 900.0, shown=True)
    assert 5 not in {one.lowest for one in published._slices}
